"""Who may only look at a restricted incident does not act on it by a response playbook (rulings 20; spec 17b)."""

from __future__ import annotations

import pytest
from guardian.shortcuts import assign_perm

from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks.actions.runs import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.approving import blue_alert
from tests.factories import make_incident
from tests.playbook_files import work
from tests.response_tools import Range, action, graph, publish, tiny

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
