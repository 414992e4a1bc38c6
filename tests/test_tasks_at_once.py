"""Several people at one checklist at the same moment: the incident's lock makes it one after the other."""

from __future__ import annotations

from functools import partial

import pytest

from cases.actions import incidents, tasks, template_use, templates
from cases.actors import Actor
from cases.choices import IncidentStatus, TaskStatus
from cases.errors import Conflict, Missing, Refused, Stale
from cases.models import Incident, IncidentTask, IncidentTemplate
from soar.accounts.models import User
from tests.factories import make_incident, make_user
from tests.test_concurrency import Racers, held, whole

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two() -> list[User]:
    """Two analysts."""
    return [make_user("mara", "Analyst"), make_user("priya", "Analyst")]


@pytest.fixture
def incident() -> Incident:
    return make_incident("Case")


def add(incident: Incident, title: str, **fields: bool) -> IncidentTask:
    return tasks.add(Actor.system(), incident.pk, title=title, **fields)  # type: ignore[arg-type]


def positions(incident: Incident) -> list[int]:
    return list(IncidentTask.objects.filter(incident=incident).values_list("position", flat=True))


def test_two_who_tick_it_are_one_tick(two: list[User], incident: Incident) -> None:
    task, racers = add(incident, "Once"), Racers()
    with held(incident):
        for number, user in enumerate(two, 1):
            racers.start(partial(tasks.complete, Actor.of(user), task.pk))
            racers.waiting(number)
    racers.join()
    assert racers.errors == []
    task.refresh_from_db()
    entry = incident.timeline.get(kind="task.completed")
    assert (task.status, task.done_by_name) == (TaskStatus.DONE, entry.actor_name)
    whole()


def test_of_two_changes_with_the_version_that_both_saw_one_is_refused(two: list[User], incident: Incident) -> None:
    task, racers = add(incident, "Contested"), Racers()
    with held(incident):
        for user in two:
            changes = {"title": f"By {user.username}"}
            racers.start(partial(tasks.update, Actor.of(user), task.pk, changes=changes, expected_version=1))
        racers.waiting(2)
    racers.join()
    assert [type(error) for error in racers.errors] == [Stale]
    assert len(racers.results) == 1
    whole()


def test_a_required_task_does_not_slip_in_while_the_incident_is_resolved(two: list[User], incident: Incident) -> None:
    racers = Racers()
    with held(incident):
        racers.start(
            partial(incidents.set_status, Actor.of(two[0]), incident.pk, "resolved", determination="malicious")
        )
        racers.waiting(1)
        racers.start(partial(tasks.add, Actor.of(two[1]), incident.pk, title="Wait", required=True))
        racers.waiting(2)
    racers.join()
    assert [type(error) for error in racers.errors] == [Conflict]
    incident.refresh_from_db()
    open_required = IncidentTask.objects.filter(incident=incident, required=True).open().exists()
    assert (incident.status == IncidentStatus.RESOLVED) != open_required
    whole()


def test_the_order_has_no_gap_whoever_adds_moves_and_removes(two: list[User], incident: Incident) -> None:
    rows, racers = [add(incident, title) for title in "ABCDE"], Racers()
    with held(incident):
        racers.start(partial(tasks.delete, Actor.of(two[0]), rows[1].pk))
        racers.start(partial(tasks.move, Actor.of(two[1]), rows[4].pk, -3))
        racers.start(partial(tasks.add, Actor.of(two[0]), incident.pk, title="F"))
        racers.waiting(3)
    racers.join()
    assert racers.errors == []
    assert positions(incident) == [1, 2, 3, 4, 5]
    whole()


def test_a_task_removed_while_somebody_ticks_it_is_missing(two: list[User], incident: Incident) -> None:
    task, racers = add(incident, "Gone"), Racers()
    with held(incident):
        racers.start(partial(tasks.delete, Actor.of(two[0]), task.pk))
        racers.waiting(1)
        racers.start(partial(tasks.complete, Actor.of(two[1]), task.pk))
        racers.waiting(2)
    racers.join()
    assert [type(error) for error in racers.errors] == [Missing]
    whole()


def test_two_who_use_one_template_add_its_tasks_once(two: list[User], incident: Incident) -> None:
    racers = Racers()
    with held(incident):
        for number, user in enumerate(two, 1):
            racers.start(partial(template_use.apply, Actor.of(user), incident.pk, "Phishing"))
            racers.waiting(number)
    racers.join()
    assert racers.errors == []
    assert len(positions(incident)) == len(IncidentTemplate.objects.get(name="Phishing").tasks)
    assert incident.timeline.filter(kind="incident.template").count() == 1
    whole()


def test_two_who_take_one_name_for_a_template(two: list[User]) -> None:
    racers, admin = Racers(), make_user("root", "Admin")
    for name in ("Same name", "SAME NAME"):
        racers.start(partial(templates.create, Actor.of(admin), fields={"name": name, "kind": "other"}))
    racers.join()
    assert [type(error) for error in racers.errors] == [Refused]
    assert IncidentTemplate.objects.filter(name__iexact="same name").count() == 1
