"""Who may only look at a restricted incident does not act on it by a response playbook (rulings 20; spec 17b)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from guardian.shortcuts import assign_perm

from cases.actions import restriction
from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks.actions import approvals, response_ends, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.runs import cancel, retry, run_by_hand
from playbooks.models import Playbook, ResponseTask, Run
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.approving import asked, blue_alert
from tests.factories import make_incident, make_user
from tests.playbook_files import work
from tests.response_tools import Range, action, graph, publish, tiny
from tests.test_concurrency import Racers

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alert(blue: Team) -> Alert:
    """In an incident that nobody sees but whom it names."""
    alert = blue_alert(blue)
    incident = make_incident("Secret", alert, team=blue)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(pk=alert.pk).update(restricted=True)
    alert.refresh_from_db()
    return alert


@pytest.fixture
def playbook(tiny: Range) -> Playbook:
    return publish(graph(action("a", "isolate_endpoint")))


def looks(user: User, alert: Alert, level: str = "view") -> None:
    assign_perm(f"{level}_incident", user, alert.incident)


def test_17b_who_only_looks_runs_nothing(tiny: Range, alert: Alert, playbook: Playbook, responder: User) -> None:
    api, path, given = Api(responder), f"/alerts/{alert.pk}/run/", {"playbook": playbook.name}
    problem_of(api.post(path, given), 404)
    looks(responder, alert)
    assert "its incident is restricted" in problem_of(api.post(path, given), 403)["detail"]
    assert not Run.objects.exists()
    assert api.post(path, {**given, "dry_run": True}).status_code == 201, "it changes nothing"
    work()
    assert tiny.done == []
    looks(responder, alert, "edit")
    assert api.post(path, given).status_code == 201
    work()
    assert tiny.targets("isolate_endpoint") == ["LT-0042"]


def test_27_who_only_looks_neither_cancels_nor_retries(
    tiny: Range, alert: Alert, playbook: Playbook, responder: User
) -> None:
    looks(responder, alert)
    tiny.fault("429", times=3)
    run = run_by_hand(Actor.system(), playbook, alert=alert.pk)
    work()
    api, path = Api(responder), f"/runs/{run.pk}"
    assert "its incident is restricted" in problem_of(api.post(f"{path}/cancel/"), 403)["detail"]
    Run.objects.filter(pk=run.pk).update(status="cancelled")
    assert "its incident is restricted" in problem_of(api.post(f"{path}/retry/"), 403)["detail"]
    Run.objects.filter(pk=run.pk).update(status="in_progress")
    looks(responder, alert, "edit")
    assert api.post(f"{path}/cancel/").status_code == 200
    assert tiny.done == []


def test_17b_an_incident_that_is_restricted_in_this_moment(tiny: Range, playbook: Playbook, blue: Team) -> None:
    """Who restricts it holds its lock: whoever starts, cancels or retries a run waits, and sees it restricted."""
    responder = make_user("omar", "Responder", teams=("Blue",), first_name="Omar", last_name="Haddad")
    admin = make_user("ada", "Admin", first_name="Ada", last_name="Admin")
    alert = blue_alert(blue)
    incident = make_incident("Soon secret", alert, team=blue)
    assign_perm("view_incident", responder, incident)
    tiny.fault("429", times=3)
    waiting = run_by_hand(Actor.system(), playbook, alert=alert.pk)
    work()
    failed = run_by_hand(Actor.system(), playbook, alert=alert.pk)
    Run.objects.filter(pk=failed.pk).update(status="cancelled")
    asked_for = asked(blue, alert=alert)
    case, targets = chosen(Actor.of(responder), {"alert": alert.pk, "targets": [{"kind": "endpoint", "value": "H"}]})
    actor, racers = Actor.of(responder), Racers()
    with transaction.atomic():
        restriction.restrict(Actor.of(admin), incident.pk)
        calls: tuple[Callable[[], Any], ...] = (
            partial(run_by_hand, actor, playbook, alert=alert.pk),
            partial(cancel, actor, waiting),
            partial(retry, actor, failed),
            partial(approvals.approve, actor, asked_for.pk),
            partial(response_ends.cancel, actor, asked_for.tasks.get().pk),
            partial(responses.start, actor, case, action="isolate_endpoint", targets=targets, params={}),
        )
        for number, call in enumerate(calls, 1):
            racers.start(call)
            racers.waiting(number)
    racers.join()
    assert racers.results == []
    assert ["is restricted" in str(error) for error in racers.errors] == [True] * 6, racers.errors
    assert sorted(Run.objects.values_list("pk", flat=True)) == [waiting.pk, failed.pk, asked_for.run_id]
    assert (asked_for.tasks.get().status, ResponseTask.objects.filter(run=None).count()) == ("pending_approval", 0)
    assert [Run.objects.get(pk=row.pk).cancel_requested for row in (waiting, failed)] == [False, False]
