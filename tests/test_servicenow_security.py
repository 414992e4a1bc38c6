"""Security incidents: their states come one after the other, and an instance may refuse one in the middle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cases.actions import incidents
from cases.actions import servicenow as verbs
from cases.choices import IncidentStatus
from cases.models import TicketChange, TicketConflict, TicketLink
from soar.accounts.models import User
from tests.fixtures import client_of
from tests.servicenow_tools import Both, both_sides
from tests.ticket_sides import edit, here, incident_of, kinds, say

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def both() -> Iterator[Both]:
    with both_sides(table="sn_si_incident") as made:
        yield made


def closed(link: TicketLink) -> None:
    incidents.set_status(here(), link.incident_id, "closed", determination="malicious", reason="Blocked and cleaned.")


def states(both: Both) -> list[str]:
    """The states that were written, also those that were refused."""
    return [one["wrote"]["state"] for one in both.desk.ask("requests") if "state" in one.get("wrote", {})]


def equal(both: Both, link: TicketLink) -> None:
    both.settle()
    assert both.failures() == [] and both.compare(link.incident_id) == []


def test_a_refusal_in_the_middle_of_the_states_waits_for_a_person_and_opens_nothing(both: Both, admin: User) -> None:
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("arrange", refused_states=["19"])
    closed(link)
    say(link, "Told after it was closed.")
    both.settle()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert "Checklist of the state is not complete" in failed.said
    assert "Checklist of the state is not complete" in client_of(admin).get("/servicenow/").content.decode()
    # It stands half-way there by our own hand: that is no change of theirs.
    assert both.fields(link)["state"] == "18"
    both.reconcile()
    both.settle()
    assert incident_of(link).status == IncidentStatus.CLOSED and not TicketConflict.objects.exists()
    assert next(row.split(":")[0] for row in both.compare(link.incident_id)) == "status"
    both.desk.tell("arrange", refused_states=[])
    both.desk.tell("forget")
    verbs.retry(here(), failed.pk)
    equal(both, link)
    assert both.fields(link)["state"] == "3" and states(both) == ["3", "19", "20", "100", "3"]
    assert incident_of(link).status == IncidentStatus.CLOSED and len(both.ticket(link)["journal"]) == 1


def test_a_refused_state_that_is_let_go_leaves_the_ticket_where_it_stands(both: Both) -> None:
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("arrange", refused_states=["19"])
    closed(link)
    both.work()
    (failed,) = TicketChange.objects.filter(state="failed")
    verbs.skip(here(), failed.pk, "The checklist is the desk's own.")
    both.settle()
    say(link, "And it goes on.")
    both.settle()
    assert incident_of(link).status == IncidentStatus.CLOSED and both.fields(link)["state"] == "18"
    assert {row.split(":")[0] for row in both.compare(link.incident_id)} <= {"status", "determination"}
    assert len(both.ticket(link)["journal"]) == 1 and both.failures() == []
    both.desk.tell("arrange", refused_states=[])
    incidents.set_status(here(), link.incident_id, "contained", reason="As the desk has it.")
    equal(both, link)
    closed(link)
    equal(both, link)
    assert both.fields(link)["state"] == "3"


@pytest.mark.parametrize("kind", ["lost", "503", "html"])
@pytest.mark.parametrize("skip", [1, 3])
def test_states_that_break_off_in_the_middle_go_on_and_take_nothing_back(both: Both, kind: str, skip: int) -> None:
    """``skip``: the first write is refused, since it leaves states out; the others go state by state."""
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("fault", kind=kind, on="update", skip=skip, times=3)
    closed(link)
    both.work()
    both.poll()
    assert both.fields(link)["state"] in ("10", "16", "18", "19") and incident_of(link).status == IncidentStatus.CLOSED
    equal(both, link)
    assert both.fields(link)["state"] == "3"
    assert kinds(link, "servicenow.conflict") == []


def test_theirs_in_the_middle_of_our_states_is_a_conflict_like_any_other(both: Both) -> None:
    """They cancel it while our states have broken off: newest wins, and both values are told."""
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("arrange", refused_states=["19"])
    closed(link)
    both.settle()
    both.desk.tell("clock", skew=5)
    both.desk.change(both.ticket(link), state="7", close_notes="By the desk.")
    verbs.retry_all(here())
    both.settle()
    assert both.fields(link)["state"] == "7" and incident_of(link).status == IncidentStatus.CLOSED
    assert both.failures() == []


def test_an_instance_that_goes_back_in_no_case_says_so(both: Both, admin: User) -> None:
    """Stateful: a closed security incident is not opened again. People read it; nothing is taken back here."""
    link = both.open("Beacon")
    closed(link)
    equal(both, link)
    incidents.set_status(here(), link.incident_id, "in_progress", reason="It beacons again.")
    edit(link, title="Beacon, once more")
    both.settle()
    (failed,) = TicketChange.objects.filter(state="failed")
    assert "NIST" in failed.said and "NIST" in client_of(admin).get("/servicenow/").content.decode()
    assert incident_of(link).status == IncidentStatus.IN_PROGRESS and both.fields(link)["state"] == "3"
    both.desk.tell("arrange", sir_process="open")
    verbs.retry(here(), failed.pk)
    equal(both, link)
    assert both.fields(link)["state"] == "16"


def test_an_open_process_is_written_in_one_go(both: Both) -> None:
    both.desk.tell("arrange", sir_process="open")
    link = both.open("Beacon")
    both.settle()
    both.desk.tell("forget")
    closed(link)
    equal(both, link)
    assert states(both) == ["3"]


def test_their_states_come_here_one_by_one(both: Both) -> None:
    link = both.open("Beacon")
    both.settle()
    for state, status in (("16", "in_progress"), ("18", "contained"), ("19", "contained"), ("20", "contained")):
        both.desk.change(both.ticket(link), state=state)
        equal(both, link)
        assert IncidentStatus(incident_of(link).status).word == status
    both.desk.tell("close", sys_id=link.sys_id, table="sn_si_incident", code="False positive", notes="A test of ours.")
    equal(both, link)
    assert IncidentStatus(incident_of(link).status).word == "closed"
    assert incident_of(link).resolve_reason == "A test of ours."
