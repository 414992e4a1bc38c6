"""The verbs of a checklist on the incident's page: who may, what is no task, what a plain form and htmx get."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents, tasks
from cases.actors import Actor
from cases.models import Incident, IncidentTask
from soar.accounts.models import Team, User
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
VERBS = ("complete", "reopen", "take", "up", "down", "remove")


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Case", team=blue)


@pytest.fixture
def task(incident: Incident) -> IncidentTask:
    """The second of three tasks."""
    made = [tasks.add(Actor.system(), incident.pk, title=title) for title in ("First", "Second", "Third")]
    return made[1]


def post(client: Client, task: IncidentTask, verb: str, **more: Any) -> Any:
    """The verb by the plain form, with ``headers`` as htmx sends it."""
    fields = {"task": task.pk, "title": "Another", **more.pop("fields", {})}
    return client.post(f"/incidents/INC-{task.incident_id}/tasks/{verb}/", fields, **more)


@pytest.mark.parametrize("verb", [*VERBS, "add"])
def test_not_for_a_viewer_nor_a_stranger_nor_by_get(
    as_viewer: Client, as_stranger: Client, as_analyst: Client, task: IncidentTask, verb: str
) -> None:
    before = task.incident.timeline.count()
    assert post(as_viewer, task, verb).status_code == 403
    assert post(as_stranger, task, verb).status_code == 404
    assert post(Client(), task, verb)["Location"].startswith("/accounts/login/")
    assert as_analyst.get(f"/incidents/INC-{task.incident_id}/tasks/{verb}/").status_code == 405
    assert task.incident.timeline.count() == before


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("wanted", "status"), [("", 400), ("x", 400), ("9" * 30, 400), ("0", 404), ("²", 400)])
def test_what_is_no_task(as_analyst: Client, task: IncidentTask, verb: str, wanted: str, status: int) -> None:
    assert post(as_analyst, task, verb, fields={"task": wanted}).status_code == status


@pytest.mark.parametrize("verb", VERBS)
def test_a_task_of_another_incident_is_not_there(as_analyst: Client, task: IncidentTask, verb: str) -> None:
    other = make_incident("Other")
    answer = as_analyst.post(f"/incidents/{other.number}/tasks/{verb}/", {"task": task.pk})
    assert answer.status_code == 404
    task.refresh_from_db()
    assert (task.position, task.is_open, task.assignee) == (2, True, None)


@pytest.mark.parametrize("verb", [*VERBS, "add"])
def test_an_ended_incident_keeps_its_checklist(as_analyst: Client, task: IncidentTask, verb: str) -> None:
    incidents.set_status(Actor.system(), task.incident_id, "resolved", determination="benign")
    answer = post(as_analyst, task, verb, headers=HTMX)
    assert answer.status_code == 409
    assert f"INC-{task.incident_id} is resolved. Reopen it to change its tasks." in answer.content.decode()
    page = as_analyst.get(f"/incidents/INC-{task.incident_id}/").content.decode()
    for words in ("/tasks/add/", "/tasks/complete/", "/tasks/reopen/"):
        assert words not in page
    assert "Reopen the incident to change its tasks." in page


@pytest.mark.parametrize("verb", VERBS)
def test_both_doors_show_the_box(as_analyst: Client, task: IncidentTask, verb: str) -> None:
    plain = post(as_analyst, task, verb)
    assert (plain.status_code, plain["Location"]) == (302, f"/incidents/INC-{task.incident_id}/#incident-tasks")
    if verb == "remove":
        task = task.incident.tasks.latest("pk")
    partial = post(as_analyst, task, verb, headers=HTMX)
    assert partial.status_code == 200
    assert 'id="incident-tasks"' in partial.content.decode()
    assert "changed" in partial["HX-Trigger"]


def test_added_ticked_and_opened_again(as_analyst: Client, analyst: User, task: IncidentTask) -> None:
    fields = {"title": "Call the bank", "required": "on", "mine": "on", "due_at": "2030-01-02T03:04"}
    assert post(as_analyst, task, "add", fields=fields).status_code == 302
    made = task.incident.tasks.get(title="Call the bank")
    assert (made.position, made.required, made.assignee) == (4, True, analyst)
    for verb, said in (("complete", "completed"), ("reopen", "reopened the task")):
        for _ in range(2):
            post(as_analyst, made, verb)
        text = as_analyst.get(f"/incidents/INC-{task.incident_id}/").content.decode()
        assert f"{said} <b>Call the bank</b>" in text
    kinds = list(task.incident.timeline.filter(data__id=made.pk).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["task.added", "task.completed", "task.reopened"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"title": " "}, "Write something first"), ({"title": "T", "due_at": "soon"}, "Give a date and time")],
)
def test_a_refusal_keeps_what_was_typed(
    as_analyst: Client, task: IncidentTask, fields: dict[str, str], words: str
) -> None:
    answer = post(as_analyst, task, "add", fields={**fields, "required": "on"}, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert 'id="task-new" open' in text
    assert 'name="required" checked' in text
    assert task.incident.tasks.count() == 3


def test_order_by_buttons(as_analyst: Client, task: IncidentTask) -> None:
    def order() -> list[str]:
        return [row.title for row in task.incident.tasks.all()]

    post(as_analyst, task, "up")
    assert order() == ["Second", "First", "Third"]
    post(as_analyst, task, "up")  # the first stays the first
    assert order() == ["Second", "First", "Third"]
    for _ in range(3):
        post(as_analyst, task, "down")
    assert order() == ["First", "Third", "Second"]
    assert task.incident.timeline.filter(kind="task.moved").count() == 3


def test_the_status_form_names_what_is_still_to_be_done(as_analyst: Client, task: IncidentTask) -> None:
    tasks.update(Actor.system(), task.pk, changes={"required": True})
    fields = {"status": "resolved", "determination": "malicious", "resolve_alerts": "on", "ending": "1"}
    for headers in ({}, HTMX):
        answer = as_analyst.post(f"/incidents/INC-{task.incident_id}/status/", fields, headers=headers)
        assert answer.status_code == 409
        words = f"INC-{task.incident_id} cannot be resolved or closed: 1 required task is still open: “Second”."
        assert words in answer.content.decode()
    post(as_analyst, task, "complete")
    assert as_analyst.post(f"/incidents/INC-{task.incident_id}/status/", fields).status_code == 302


def test_a_tick_makes_no_form_of_the_incident_stale(as_analyst: Client, task: IncidentTask) -> None:
    version = task.incident.version
    post(as_analyst, task, "complete")
    changes = {"summary": "New"}
    assert (
        incidents.update(Actor.system(), task.incident_id, changes=changes, expected_version=version).summary == "New"
    )


def test_the_poll_brings_what_another_did(as_analyst: Client, task: IncidentTask, responder: User) -> None:
    text = as_analyst.get(f"/incidents/INC-{task.incident_id}/").content.decode()
    cursor = text.split("live/?cursor=")[1].split('"')[0]
    live = f"/incidents/INC-{task.incident_id}/live/?cursor={cursor}"
    assert as_analyst.get(live, headers=HTMX).status_code == 204
    tasks.complete(Actor.of(responder), task.pk)
    answer = as_analyst.get(live, headers=HTMX).content.decode()
    assert 'id="incident-tasks" hx-swap-oob="morph"' in answer
    assert "1 of 3" in answer
    assert "completed <b>Second</b>" in answer


def test_a_viewer_reads_without_verbs(as_viewer: Client, task: IncidentTask) -> None:
    text = as_viewer.get(f"/incidents/INC-{task.incident_id}/").content.decode()
    assert "Second" in text
    for words in ("/tasks/add/", "/tasks/complete/", "Add a task", "Use a template"):
        assert words not in text
