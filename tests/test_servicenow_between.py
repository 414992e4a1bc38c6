"""What happens at a ticket between our look and our write, and which of two changes is the newer one: with sys_audit,
where it may be read, and without."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from cases.actions import incidents
from cases.actions import servicenow as verbs
from cases.choices import Severity
from cases.models import TicketChange, TicketConflict, TicketLink
from soar.accounts.models import User
from tests.fixtures import client_of
from tests.playbook_files import until
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, equal, here, incident_of, kinds, resolve, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    cache.clear()
    with both_sides() as made:
        made.desk.tell("arrange", audit_read="yes")
        yield made
    cache.clear()


def wins(both: Both, winner: str) -> None:
    both.profile.winners = dict.fromkeys(both.profile.winners, winner)
    both.profile.save()


def between(both: Both, link: TicketLink, **theirs: str) -> None:
    """Send what waits; when the ticket was read and right before it is written, somebody there changes it."""
    wish = {"sys_id": link.sys_id, "table": link.table, "as": "mara.lindqvist", "set": theirs}
    both.desk.tell("fault", kind="first", on="update", verb="change", wish=wish)
    both.work()


def a_second_passes() -> None:
    """ServiceNow tells whole seconds: within one, ours counts as the younger."""
    begun = timezone.now()
    until(lambda: timezone.now() - begun > timedelta(seconds=1.1))


def told(link: TicketLink) -> list[tuple[str, str, str, str]]:
    """Of each conflict on the timeline: the field, ours, theirs, who won."""
    names = ("field", "ours", "theirs", "outcome")
    return [tuple(entry.data[name] for name in names) for entry in kinds(link, "servicenow.conflict")]


@pytest.mark.parametrize(
    ("winner", "outcome", "severity"),
    [("ours", "ours", 4), ("theirs", "theirs", 0), ("newest", "theirs", 0), ("ask", "", 0)],
)
def test_6_what_they_wrote_between_our_look_and_our_write_is_not_lost(
    both: Both, winner: str, outcome: str, severity: int, admin: User
) -> None:
    wins(both, winner)
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    a_second_passes()
    between(both, link, impact="3", urgency="3")
    both.settle()
    assert told(link) == [("severity", "critical", "informational", outcome)]
    (conflict,) = TicketConflict.objects.all()
    assert conflict.theirs["shown"] == "informational" and conflict.ours["shown"] == "critical"
    if winner == "ask":
        page = client_of(admin).get("/servicenow/conflicts/").content.decode()
        assert "informational" in page and "critical" in page
        assert both.fields(link)["impact"] == "3"  # theirs stands where they wrote it
        verbs.decide(here(), conflict.pk, "theirs")
    equal(both, link)
    assert incident_of(link).severity == severity
    assert len(told(link)) == 1


def test_6_the_end_that_they_wrote_between_is_not_taken_back(both: Both) -> None:
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, title="Beacon to a bad host")
    incidents.set_status(here(), link.incident_id, "in_progress")
    a_second_passes()
    between(both, link, state="6", close_code="Duplicate", close_notes="Same as another one.")
    equal(both, link)
    assert both.fields(link)["state"] == "6" and incident_of(link).resolve_reason == "Same as another one."
    assert incident_of(link).title == "Beacon to a bad host"
    assert [row[0] for row in told(link)] == ["status"]


def test_6_what_they_wrote_elsewhere_is_no_conflict(both: Both) -> None:
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    between(both, link, short_description=f"{incident_of(link).number} Theirs")
    equal(both, link)
    assert told(link) == [] and incident_of(link).title == "Theirs" and incident_of(link).severity == Severity.CRITICAL


def test_6_the_same_value_from_both_in_one_moment_is_no_conflict(both: Both) -> None:
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    between(both, link, impact="1", urgency="1")
    equal(both, link)
    assert told(link) == []


def test_6_what_cannot_be_put_back_is_told(both: Both) -> None:
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    both.desk.tell("fault", kind="403", on="update", skip=1, message="Operation Failed", detail="Aborted by a rule")
    between(both, link, impact="3", urgency="3")
    equal(both, link)
    assert told(link) == [("severity", "critical", "informational", "ours")]
    (entry,) = kinds(link, "servicenow.conflict")
    assert "cannot be put back" in entry.text and "Aborted by a rule" in entry.text


@pytest.mark.parametrize("audit", ["no", "empty"])
def test_6_without_the_history_only_the_log_tells_of_it(both: Both, audit: str) -> None:
    """Nothing else tells what stood there for a moment: ours has replaced it. Everything else goes on."""
    both.desk.tell("arrange", audit_read=audit)
    link = both.open("Beacon", severity="medium")
    both.settle()
    edit(link, severity="critical")
    between(both, link, impact="3", urgency="3")
    equal(both, link)
    said = TicketChange.objects.filter(link=link, kind="fields", said__startswith="Wrote").latest("pk").said
    assert "1 more of others since the ticket was read" in said
    assert incident_of(link).severity == Severity.CRITICAL and told(link) == []


@pytest.mark.parametrize(("audit", "severity"), [("yes", Severity.LOW), ("no", Severity.CRITICAL)])
def test_6_newest_is_of_the_field_where_the_history_tells(both: Both, audit: str, severity: Severity) -> None:
    """They rate it, we rate it later, and then they write a note: that makes the ticket newer, not the rating."""
    both.desk.tell("arrange", audit_read=audit)
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.tell("clock", skew=-20)
    both.desk.change(both.ticket(link), as_="mara.lindqvist", impact="1", urgency="1")
    both.desk.tell("clock", skew=0)
    edit(link, severity="low")
    both.desk.tell("clock", skew=20)
    both.desk.tell("note", sys_id=link.sys_id, as_="l.becker", text="Not about the rating.")
    both.desk.tell("clock", skew=0)
    equal(both, link)
    assert incident_of(link).severity == severity
    (conflict,) = TicketConflict.objects.all()
    assert conflict.theirs["by"] == ("mara.lindqvist" if audit == "yes" else "l.becker")


def test_6_the_history_is_asked_for_in_conflicts_alone(both: Both) -> None:
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.tell("forget")
    edit(link, severity="critical")
    say(link, "Said")
    both.work()
    both.desk.change(both.ticket(link), short_description=f"{incident_of(link).number} Theirs")
    both.settle()
    resolve(link)
    equal(both, link)
    assert not [one for one in both.desk.ask("requests") if "sys_audit" in one["path"]]


def test_a_history_that_is_closed_is_not_asked_for_again_at_once(both: Both) -> None:
    both.desk.tell("arrange", audit_read="no")
    link = both.open("Beacon", severity="medium")
    both.settle()
    both.desk.tell("forget")
    for number in range(2):
        edit(link, severity=("low", "high")[number])
        both.desk.change(both.ticket(link), impact="1", urgency=str(number + 1))
        both.settle()
    assert len([one for one in both.desk.ask("requests") if "sys_audit" in one["path"]]) == 1
    equal(both, link)
