"""What a response playbook does to the case: the incident, its notes and owners, its end; case actions; notifications
(response-playbooks.md 6 to 8, 23, 24; rulings 4, 5)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import alerts, incidents
from cases.actions.tasks import add as add_task
from cases.actors import Actor
from cases.models import Alert, Incident, IncidentTemplate
from cases.timeline_read import entries_of_incident
from playbooks.models import Run
from soar.accounts.models import User
from tests.playbook_files import Folder, folder, work
from tests.response_tools import (
    Range,
    action,
    alert_of,
    condition,
    graph,
    only_task,
    publish,
    run_now,
    tasks_of,
    tiny,
)

__all__ = ["folder", "tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()
SCAN = action("a", "scan_endpoint")


def opening(close: str = "", owners: tuple[str, ...] = ()) -> dict[str, Any]:
    """The target of a playbook that opens an incident."""
    closing = {"determination": close} if close else None
    return {"open_incident": {"owners": list(owners), "close_on_success": closing, "ticket_profile": None}}


def fresh(alert: Alert) -> Alert:
    return Alert.objects.select_related("incident").get(pk=alert.pk)


def kinds(subject: Alert | Incident) -> list[str]:
    return list(subject.timeline.order_by("pk").values_list("kind", flat=True))


def test_6_the_incident_is_opened_with_its_owners(tiny: Range, analyst: User, responder: User) -> None:
    run = run_now(publish(graph(SCAN, target=opening(owners=("mara", "priya")))), alert_of(title="Odd logon"))
    incident = Incident.objects.get()
    assert (run.opened_incident, incident.title) == (incident, "Odd logon")
    assert {row.user.username for row in incident.owner_rows.all()} == {"mara", "priya"}
    assert incident.status == 0, "nobody said that it is to be closed"


def test_6_only_an_alert_that_meets_the_conditions_gets_one(tiny: Range) -> None:
    """Rulings 4: opened when the first action is about to run."""
    nodes = condition("c", ("severity", "is", ["critical"])), action("a", "scan_endpoint", parent="c")
    run = run_now(publish(graph(*nodes, target=opening("malicious"))), alert_of())
    assert run.status == "successful" and not Incident.objects.exists()


def test_7_notes_move_and_new_ones_are_refused_on_the_alert(tiny: Range) -> None:
    from cases.errors import Conflict

    alert = alert_of()
    alerts.comment(SYSTEM, alert.pk, "Called the user.")
    run_now(publish(graph(SCAN, target=opening())), alert)
    incident = Incident.objects.get()
    assert incident.timeline.get(kind="note.moved").text == "Called the user."
    with pytest.raises(Conflict) as refused:
        alerts.comment(SYSTEM, alert.pk, "One more")
    assert refused.value.extra["url"] == f"/incidents/{incident.number}/"


def test_8_an_alert_that_has_one_keeps_it_and_its_timeline_tells_of_the_run(tiny: Range, analyst: User) -> None:
    alert = alert_of()
    incident = incidents.open_incident(SYSTEM, alerts=[alert.pk])
    run = run_now(publish(graph(SCAN, target=opening("malicious", ("mara",)))), alert)
    assert Incident.objects.count() == 1 and run.opened_incident is None
    told = incident.timeline.filter(kind__startswith="run.").order_by("pk")
    assert [entry.kind for entry in told] == ["run.started", "run.finished"]
    finished = told.last()
    assert finished is not None and finished.data["results"]["by_status"] == {"successful": 1}
    assert {row.user.username for row in incident.owner_rows.all()} == {"mara"}, "it had none"
    assert Incident.objects.get().status == 0, "an incident that the run did not open is never closed by it"


@pytest.mark.parametrize("before", [False, True])
def test_the_incident_tells_once_what_stands_on_both_timelines(tiny: Range, before: bool) -> None:
    alert = alert_of()
    if before:
        incidents.open_incident(SYSTEM, alerts=[alert.pk])
    run_now(publish(graph(SCAN, target=opening())), alert)
    incident = Incident.objects.get()
    read = [entry.kind for entry in entries_of_incident(incident) if entry.kind.startswith("run.")]
    assert sorted(read) == ["run.finished", "run.started"]
    assert {"run.started", "run.finished"} <= set(kinds(fresh(alert))), "each has its own chain"


def test_8_owners_are_added_only_if_there_are_none(tiny: Range, analyst: User, responder: User) -> None:
    alert = alert_of()
    incident = incidents.open_incident(SYSTEM, alerts=[alert.pk], owners=["priya"])
    run_now(publish(graph(SCAN, target=opening(owners=("mara",)))), alert)
    assert {row.user.username for row in incident.owner_rows.all()} == {"priya"}


def test_6_it_closes_only_on_full_success(tiny: Range) -> None:
    alert = alert_of()
    run_now(publish(graph(SCAN, target=opening("malicious"))), alert)
    incident = Incident.objects.get()
    assert (incident.status, incident.determination) == (4, 3)
    assert fresh(alert).status == 2, "closing an incident resolves its alerts"
    assert kinds(incident)[-1] == "run.finished"


def test_6_it_stays_open_when_anything_failed(tiny: Range) -> None:
    tiny.fault("403")
    nodes = SCAN, action("b", "disable_account", parent="a")
    run = run_now(publish(graph(*nodes, target=opening("malicious"))), alert_of())
    assert run.status == "partially_successful" and Incident.objects.get().status == 0


def test_what_hinders_the_closing_is_said(tiny: Range) -> None:
    """An open required task is a reason not to close: the run itself succeeded and says so."""
    alert = alert_of()
    template = IncidentTemplate.objects.create(
        name="Strict", tasks=[{"title": "Call them", "required": True}], kind="other"
    )
    nodes = action("a", "scan_endpoint", ("add_tasks", {"template": template.name}))
    run = run_now(publish(graph(nodes, target=opening("malicious"))), alert)
    assert run.status == "successful" and "was not closed" in run.error and "Call them" in run.error
    assert Incident.objects.get().status == 0


def test_an_incident_that_may_not_be_opened_is_a_problem_and_the_response_goes_on(tiny: Range, blue: Any) -> None:
    from tests.factories import make_user

    author = make_user("writer", "Playbook author", teams=("Blue",))
    publish(graph(SCAN, trigger={"type": "automatic"}, target=opening()), by=author)
    alert_of(team=blue)
    work()
    run = Run.objects.get()
    assert not Incident.objects.exists() and tiny.targets("scan_endpoint") == ["LT-0042"]
    assert run.status == "partially_successful" and "permission to work on cases is missing" in run.error


@pytest.mark.parametrize("in_incident", [False, True])
def test_case_actions(tiny: Range, analyst: User, in_incident: bool) -> None:
    acts = (
        ("set_severity", {"severity": "critical"}),
        ("assign", {"owner": "mara"}),
        ("tag", {"tags": ["Contained", "lt"]}),
        ("comment", {"text": "Seen by the playbook."}),
        ("set_status", {"status": "resolved", "determination": "malicious"}),
    )
    alert = alert_of()
    run = run_now(publish(graph(action("a", *acts), target=opening() if in_incident else {})), alert)
    assert run.status == "successful", [task.reason for task in run.tasks.all()]
    case: Any = Incident.objects.get() if in_incident else fresh(alert)
    assert (case.severity, case.determination, case.tags) == (4, 3, ["contained", "lt"])
    assert case.status == (3 if in_incident else 2)
    assert case.timeline.get(kind="comment").actor_type == "playbook"
    owner = case.owner_rows.get().user if in_incident else case.owner
    assert owner == analyst
    assert len(tasks_of(run)) == 5, "each runs once, not for each object"


def test_a_refused_case_action_fails_with_its_reason(tiny: Range) -> None:
    run = run_now(publish(graph(action("a", ("assign", {"owner": "ghost"})))), alert_of())
    assert run.status == "unsuccessful" and only_task(run).reason == "There is no active user ghost."


def test_run_a_python_playbook(tiny: Range, folder: Folder) -> None:
    folder.load(
        """
@playbook(trigger="manual")
async def helper(alert):
    await add_current_alert_comment("from python")
"""
    )
    alert = alert_of()
    run = run_now(publish(graph(action("a", ("run_playbook", {"playbook": "helper"})))), alert)
    assert run.status == "successful", only_task(run).reason
    other = Run.objects.exclude(pk=run.pk).get()
    assert (other.status, other.depth, other.cause) == ("successful", 1, run.cause)
    assert alert.timeline.filter(kind="comment", text="from python").exists()
    assert only_task(run).data["run"] == other.pk


def test_case_actions_run_once_and_in_one_transaction_with_their_task(tiny: Range) -> None:
    alert = alert_of()
    run_now(publish(graph(action("a", ("comment", {"text": "once"})))), alert)
    assert alert.timeline.filter(kind="comment").count() == 1


def test_24_the_report(tiny: Range) -> None:
    tiny.fault("403")
    run = run_now(publish(graph(action("a", "sandbox_url", "scan_endpoint"))), alert_of(title="Odd logon"))
    report: Any = run.report
    assert report["alert"]["number"] == f"ALR-{run.alert_id}" and report["alert"]["title"] == "Odd logon"
    assert {one["value"] for one in report["objects"]} == {"evil-one.com", "LT-0042", "a.voss"}
    assert {one["status"] for one in report["tasks"]} == {"successful", "unsuccessful"}
    assert all(one["finished_at"] for one in report["tasks"])
    assert report["summary"]["text"] == "1 successful, 1 unsuccessful"
    assert report["run"]["url"].endswith(f"/runs/{run.pk}/") and report["run"]["status"] == run.status
    assert run.result == report["summary"]


def test_a_required_task_of_the_case_is_nothing_of_the_playbook(tiny: Range) -> None:
    alert = alert_of()
    incident = incidents.open_incident(SYSTEM, alerts=[alert.pk])
    add_task(SYSTEM, incident.pk, title="Call them", required=True)
    run = run_now(publish(graph(action("a", ("set_status", {"status": "closed", "determination": "benign"})))), alert)
    assert run.status == "unsuccessful" and "Call them" in only_task(run).reason


def test_rights_of_the_token_that_ran_it_by_hand(tiny: Range, analyst: User) -> None:
    made, alert = publish(graph(action("a", ("tag", {"tags": ["seen"]})))), alert_of()
    analyst.token_scopes = frozenset({"view_cases", "run_playbooks"})
    task = only_task(run_now(made, alert, Actor.of(analyst)))
    assert task.status == "unsuccessful" and "permission to work on cases is missing" in task.reason
    analyst.token_scopes = frozenset({"view_cases", "run_playbooks", "work_cases"})
    assert only_task(run_now(made, alert, Actor.of(analyst))).status == "successful"
    assert Alert.objects.get().tags == ["seen"]
