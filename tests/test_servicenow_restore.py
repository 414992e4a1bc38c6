"""A database of yesterday, brought back from a real copy: what happened at tickets since comes
here, what waited goes over once, and nothing that went over goes again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cases.actions import evidence
from cases.choices import IncidentStatus
from cases.models import Evidence
from tests.servicenow_tools import Both, both_sides
from tests.test_servicenow_faults_workers import DAY, age, brought_back, consider, copied
from tests.ticket_sides import equal, here, incident_of, kinds, resolve, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides(send_evidence=True, timeout=30) as made:
        yield made


def test_what_ended_there_since_yesterday_ends_here_and_files_go_once(both: Both) -> None:
    ended, resolved, filed = (both.open(title) for title in ("Ends there", "Is resolved here", "Has a file"))
    say(ended, "Said before the copy.")
    both.settle()
    evidence.add_bytes(here(), filed.incident_id, "mail.eml", b"From: somebody")
    consider(both)
    age(DAY)
    copied("_yesterday")
    both.settle()
    both.desk.tell("close", sys_id=ended.sys_id, code="Duplicate", notes="Same as another one.", state=7)
    resolve(resolved)
    equal(both, ended, resolved, filed)
    brought_back("_yesterday")
    equal(both, ended, resolved, filed)
    assert incident_of(ended).status in (IncidentStatus.RESOLVED, IncidentStatus.CLOSED)
    assert incident_of(ended).resolve_reason == "Same as another one."
    assert incident_of(resolved).status == IncidentStatus.RESOLVED
    assert len(both.ticket(filed)["attachments"]) == 1 and Evidence.objects.count() == 1
    assert len(both.ticket(ended)["journal"]) == 1
    assert not kinds(ended, "servicenow.note") and not kinds(filed, "servicenow.note")


def test_a_ticket_deleted_since_yesterday_is_a_broken_link_and_no_new_ticket(both: Both) -> None:
    gone, stays = both.open("Gone there"), both.open("Stays")
    both.settle()
    copied("_yesterday")
    both.desk.tell("delete", sys_id=gone.sys_id)
    both.reconcile()
    brought_back("_yesterday")
    both.reconcile()
    both.settle()
    gone.refresh_from_db()
    assert both.compare(gone.incident_id) == [f"broken: {gone.reason}"] and gone.state == "broken"
    equal(both, stays)
    assert len(both.desk.ask("tickets")) == 4
