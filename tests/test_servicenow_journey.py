"""From a playbook to a ticket and back, over real HTTP: what a playbook orders, the sync makes and keeps equal
(response-playbooks.md 6 and 23, python-playbooks.md 6, servicenow.md 3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.models import Incident, LinkState, TicketLink, TicketProfile
from playbooks.actions import run_by_hand
from playbooks.models import ResponseTask, Run
from playbooks.steps.ticket_values import correlation_of
from tests.factories import make_alert, make_incident
from tests.playbook_files import Folder, folder, work
from tests.response_tools import Range, action, alert_of, graph, publish, run_now, tiny
from tests.servicenow_tools import Both, both_sides

__all__ = ["folder", "tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
OPENING: dict[str, Any] = {"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": "Security"}}
RESULT = {
    "id": "t", "type": "notify", "parent": "a", "side": "right",
    "actions": [{"action": "ticket", "params": {"profile": "Security"}}],
}  # fmt: skip


@pytest.fixture
def both() -> Iterator[Both]:
    """Both sides, with the profile Security."""
    with both_sides(name="Security") as made:
        yield made


def made_by_us(both: Both) -> list[str]:
    """Numbers of the tickets that bear an id of ours."""
    tickets = [one["fields"] for one in both.desk.ask("state")["tickets"]]
    return [one["number"] for one in tickets if str(one.get("correlation_id") or "").startswith("soar")]


# a response playbook


def test_the_incident_of_a_playbook_is_kept_equal_with_its_ticket(tiny: Range, both: Both) -> None:
    alert = alert_of(title="Beacon to a bad host", severity=Severity.HIGH)
    run = run_now(publish(graph(action("a", "isolate_endpoint"), target=OPENING)), alert)
    assert run.status == "successful", run.error
    both.settle()
    link = TicketLink.objects.get()
    assert (link.incident, link.state) == (run.opened_incident, LinkState.LINKED)
    fields = both.fields(link)
    assert "Beacon to a bad host" in fields["short_description"]
    assert (fields["impact"], fields["urgency"]) == ("1", "2")
    assert both.compare(link.incident_id) == []
    both.desk.change(both.ticket(link), impact="1", urgency="1", short_description="Worse than it looked")
    both.settle()
    incident = Incident.objects.get()
    assert (incident.severity, incident.title) == (Severity.CRITICAL, "Worse than it looked")
    incidents.set_status(SYSTEM, incident.pk, IncidentStatus.IN_PROGRESS)
    both.settle()
    assert both.fields(link)["state"] == "2"
    assert both.compare(incident) == []


def test_a_result_ticket_is_another_one_and_is_not_synced(tiny: Range, both: Both) -> None:
    run = run_now(publish(graph(action("a", "isolate_endpoint"), RESULT, target=OPENING)), alert_of())
    both.settle()
    task, link = ResponseTask.objects.get(run=run, action="ticket"), TicketLink.objects.get()
    report = both.desk.ask("ticket", correlation_id=correlation_of(task.idempotency_key))
    assert report["fields"]["number"] == task.data["ticket"]["number"] != link.number
    assert "Isolate endpoint LT-0042" in report["fields"]["description"]
    seen = (Incident.objects.get().timeline_count, Incident.objects.get().title)
    both.desk.change(report["fields"] | {"table": "incident"}, short_description="Nobody listens", state="2")
    both.settle()
    assert (Incident.objects.get().timeline_count, Incident.objects.get().title) == seen
    assert len(made_by_us(both)) == 2 and both.compare(link.incident_id) == []


# a Python playbook


def run_of(folder: Folder, body: str, *, dry_run: bool = False, **given: Any) -> Run:
    """The run of a playbook with this body, on a new alert unless something else is given."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    subject = "incident" if "incident" in given else "alert"
    folder.load(f"@playbook(trigger='manual')\nasync def it({subject}):\n{lines}\n")
    given = given or {"alert": make_alert()}
    made = run_by_hand(SYSTEM, "it", dry_run=dry_run, **given)
    work()
    return Run.objects.get(pk=made.pk)


def test_a_python_playbook_sends_its_incident_and_twice_is_once(folder: Folder, both: Both) -> None:
    body = """
await create_incident(title="From a playbook")
first = await send_to_servicenow("security")
return [first, await send_to_servicenow("Security")]
"""
    done = run_of(folder, body)
    assert done.status == "successful", done.error + done.traceback
    both_times: Any = done.result
    first, second = both_times
    link = TicketLink.objects.get()
    assert first == second
    assert (first["link"], first["incident"], first["profile"]) == (link.pk, f"INC-{link.incident_id}", "Security")
    assert (first["number"], first["state"]) == ("", "creating"), "the ticket is made in the background"
    both.settle()
    assert "From a playbook" in both.fields(link)["short_description"]
    assert both.compare(link.incident_id) == []
    assert [step.name for step in done.steps.order_by("pk")].count("send_to_servicenow") == 2


def test_a_python_playbook_links_the_ticket_that_there_is(folder: Folder, both: Both) -> None:
    ticket = both.desk.create(short_description="Theirs")
    number = ticket["fields"]["number"] if "fields" in ticket else ticket["number"]
    done = run_of(folder, f"return await send_to_servicenow('Security', number='{number.lower()}')",
                  incident=make_incident("Ours"))  # fmt: skip
    assert done.status == "successful", done.error + done.traceback
    both.settle()
    link = TicketLink.objects.get()
    assert (link.number, link.state, link.created_there) == (number, LinkState.LINKED, False)
    assert made_by_us(both) == [] and both.compare(link.incident_id) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("await send_to_servicenow('Security')", "there is none"),
        ("await create_incident(title='x')\nawait send_to_servicenow('Nowhere')", "no ticket profile Nowhere"),
        ("await create_incident(title='x')\nawait send_to_servicenow('Off')", "Off"),
        ("await create_incident(title='x')\nawait send_to_servicenow('Security', number='no number')", "number"),
    ],
)
def test_what_cannot_be_sent_is_the_run_s_error(folder: Folder, both: Both, body: str, why: str) -> None:
    TicketProfile.objects.create(instance=both.instance, name="Off", enabled=False)
    done = run_of(folder, body)
    assert done.status == "unsuccessful" and why in done.error, done.error
    assert not TicketLink.objects.exists()


def test_a_dry_run_of_a_python_playbook_sends_nothing(folder: Folder, both: Both) -> None:
    body = "await create_incident(title='x')\nreturn (await send_to_servicenow('Security'))['state']"
    done = run_of(folder, body, dry_run=True)
    assert (done.status, done.result) == ("successful", "creating"), done.error
    assert not TicketLink.objects.exists() and both.desk.ask("requests") == []
