"""Editing a task in the dialog or on its page: who may, what is refused, stale forms, due times of the person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from cases.actions import tasks
from cases.actors import Actor
from cases.models import IncidentTask
from soar.accounts.models import Team, User
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
DUE = datetime(2030, 7, 1, 10, 30, 45, tzinfo=UTC)


@pytest.fixture
def task(blue: Team, responder: User) -> IncidentTask:
    """Assigned to Priya, with a due time to the second."""
    incident = make_incident("Case", team=blue)
    return tasks.add(Actor.system(), incident.pk, title="Isolate", assignee=responder, due_at=DUE, required=True)


def url(task: IncidentTask) -> str:
    return f"/incidents/INC-{task.incident_id}/tasks/{task.pk}/"


def typed(**more: str) -> dict[str, str]:
    """The form as it is, with changes."""
    return {
        "title": "Isolate",
        "assignee": "priya",
        "due_at": "2030-07-01T10:30",
        "required": "on",
        "version": "1",
    } | more


def test_not_for_others(as_viewer: Client, as_stranger: Client, as_analyst: Client, task: IncidentTask) -> None:
    assert as_viewer.post(url(task), typed()).status_code == 403
    for method in ("get", "post"):
        assert getattr(as_stranger, method)(url(task)).status_code == 404
    other = make_incident("Other")
    assert as_analyst.get(f"/incidents/{other.number}/tasks/{task.pk}/").status_code == 404
    assert as_analyst.get(f"/incidents/{other.number}/tasks/{10**25}/").status_code == 404
    assert as_analyst.delete(url(task)).status_code == 405


@pytest.mark.parametrize(
    ("changes", "words", "field"),
    [
        ({"title": ""}, "Write something first", "edit-title"),
        ({"assignee": "sam"}, "does not see", "edit-assignee"),
        ({"assignee": "nobody-of-this-name"}, "no active user", "edit-assignee"),
        ({"due_at": "1.7.2030"}, "Give a date and time", "edit-due"),
        ({"position": "first"}, "a whole number from 1", "edit-position"),
        ({"position": "0"}, "a whole number from 1", "edit-position"),
    ],
)
def test_a_refusal_stands_at_its_field_and_keeps_what_was_typed(
    as_analyst: Client, stranger: User, task: IncidentTask, changes: dict[str, str], words: str, field: str
) -> None:
    tasks.add(Actor.system(), task.incident_id, title="Another")
    answer = as_analyst.post(url(task), typed(description="Typed", **changes), headers=HTMX)
    text = answer.content.decode()
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#dialog")
    assert words in text
    assert ">Typed</textarea>" in text
    assert 'aria-invalid="true"' in text.split(f'id="{field}"')[1].split(">")[0]
    task.refresh_from_db()
    assert (task.title, task.version) == ("Isolate", 1)


def test_a_stale_form_shows_both_and_may_be_saved_again(as_analyst: Client, task: IncidentTask) -> None:
    tasks.update(Actor.system(), task.pk, changes={"title": "Isolate FIN-LT-0114"})
    for headers in ({}, HTMX):
        answer = as_analyst.post(url(task), typed(title="Unplug"), headers=headers)
        text = answer.content.decode()
        assert answer.status_code == 412
        assert "changed by somebody else" in text
        assert "<dd>Isolate FIN-LT-0114</dd>" in text
        assert 'value="Unplug"' in text
        assert 'name="version" value="2"' in text
    assert as_analyst.post(url(task), typed(title="Unplug", version="2")).status_code == 302
    task.refresh_from_db()
    assert task.title == "Unplug"


def test_saving_nothing_changes_nothing(as_analyst: Client, task: IncidentTask) -> None:
    before = task.incident.timeline.count()
    assert as_analyst.post(url(task), typed()).status_code == 302
    task.refresh_from_db()
    assert (task.due_at, task.version) == (DUE, 1)
    assert task.incident.timeline.count() == before


def test_saved_in_the_dialog(as_analyst: Client, analyst: User, task: IncidentTask) -> None:
    fields: dict[str, Any] = typed(title="Isolate it", assignee="mara", due_at="", description="Ask first.")
    del fields["required"]
    answer = as_analyst.post(url(task), fields, headers=HTMX)
    assert (answer.status_code, answer["HX-Retarget"]) == (200, "#incident-tasks")
    assert "dialog-close" in answer["HX-Trigger"]
    task.refresh_from_db()
    assert (task.title, task.assignee, task.due_at, task.required) == ("Isolate it", analyst, None, False)
    text = as_analyst.get(f"/incidents/INC-{task.incident_id}/").content.decode()
    assert 'renamed the task <span class="was">Isolate</span> to <b>Isolate it</b>' in text
    assert 'assigned <b>Isolate it</b> <span class="was">Priya Raman</span> → Mara Lindqvist' in text
    assert "made <b>Isolate it</b> optional" in text


def test_the_due_time_is_that_of_the_person(as_analyst: Client, analyst: User, task: IncidentTask) -> None:
    analyst.time_zone = "Europe/Berlin"
    analyst.save(update_fields=["time_zone"])
    assert 'value="2030-07-01T12:30"' in as_analyst.get(url(task)).content.decode()
    as_analyst.post(url(task), typed(due_at="2030-07-01T13:00"))
    task.refresh_from_db()
    assert task.due_at == datetime(2030, 7, 1, 11, 0, tzinfo=UTC)


def test_a_reader_gets_what_it_is(as_viewer: Client, as_analyst: Client, task: IncidentTask) -> None:
    tasks.update(Actor.system(), task.pk, changes={"description": "**How** to"})
    text = as_viewer.get(url(task)).content.decode()
    for words in ("<strong>How</strong> to", "Priya Raman", "Isolate"):
        assert words in text
    assert 'name="title"' not in text
    assert "Remove" not in text
    assert "Remove" in as_analyst.get(url(task)).content.decode()


def test_its_number_moves_it(as_analyst: Client, task: IncidentTask) -> None:
    for title in ("B", "C"):
        tasks.add(Actor.system(), task.incident_id, title=title)
    assert as_analyst.post(url(task), typed(position="3")).status_code == 302
    assert [row.title for row in task.incident.tasks.all()] == ["B", "C", "Isolate"]
    assert task.incident.timeline.get(kind="task.moved").data["new"] == 3


def test_the_timeline_keeps_the_old_description(analyst: User) -> None:
    incident = make_incident("Case")
    task = tasks.add(Actor.of(analyst), incident.pk, title="Ask", description="The old words")
    tasks.update(Actor.of(analyst), task.pk, changes={"description": "The new ones"})
    [entry] = incident.timeline.filter(kind="task.changed")
    assert (entry.data["old"], entry.data["new"]) == ("The old words", "The new ones")
