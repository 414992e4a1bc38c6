"""Clusters, clouds and their accounts in the hands of the engine: rehearsal, never-touch, done once, undone, lost
answers, and which of several accounts acts (connectors.md 2 and 3, response-playbooks.md 15 to 18)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cases.actors import Actor
from cases.models import Alert
from playbooks.actions import approvals, response_follow, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.runs import run_by_hand
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from playbooks.response import crew
from soar.accounts.models import Team, User
from soar.connectors.actions import create_account
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.registry import KINDS
from soar.standins.aws import Aws
from soar.standins.base import Standin
from soar.standins.google_iam import PROJECT, GoogleIam
from soar.standins.kubernetes import Kubernetes
from soar.standins.okta import Okta
from soar.standins.server import Server
from soar.standins.visionone import VisionOne
from tests.approving import blue_alert
from tests.playbook_files import Folder, folder, work
from tests.response_tools import action, graph, make_due, publish, silence

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
State = dict[str, Any]


@dataclass
class Case:
    """What a product is asked to do, how one sees there that it was done, and how often something was changed.
    ``lost``: the end of the path whose answer is lost."""

    standin: type[Standin]
    action: str
    kind: str
    value: str
    done: Callable[[State], bool]
    effects: Callable[[State], int]
    entity: dict[str, Any] = field(default_factory=dict)
    lost: str = ""
    undone: bool = True


def _pods(state: State) -> list[State]:
    return [one["metadata"] for one in state["pods"].values()]


BOT = f"ci-bot@{PROJECT}.iam.gserviceaccount.com"
CASES = [
    Case(
        Kubernetes, "isolate_container", "container", "practice/shop/web-7f",
        lambda state: any("soar-isolated" in one["labels"] for one in _pods(state)) and bool(state["policies"]),
        lambda state: int(state["calls"].get("patch pods", 0)),
        {"type": "container"}, "/pods/web-7f",
    ),
    Case(
        Kubernetes, "terminate_container", "container", "practice/shop/web-7f",
        lambda state: state["gone"] == ["shop/web-7f"] or any("deletionTimestamp" in one for one in _pods(state)),
        lambda state: int(state["calls"].get("delete pods", 0)),
        {"type": "container"}, "/pods/web-7f", undone=False,
    ),
    Case(
        GoogleIam, "revoke_cloud_access", "cloud_account", BOT,
        lambda state: any(one.get("disabled") for one in state["accounts"].values()),
        lambda state: int(state["calls"].get("disable account", 0)),
        {"type": "cloudaccount"}, ":disable",
    ),
    Case(
        Okta, "disable_account", "account", "a.voss",
        lambda state: any(one["status"] == "SUSPENDED" for one in state["users"].values()),
        lambda state: int(state["calls"].get("suspend", 0)),
        {"type": "account"}, "/suspend",
    ),
]  # fmt: skip
each = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.standin.kind}-{case.action}")
reversible = pytest.mark.parametrize(
    "case", [one for one in CASES if one.undone], ids=lambda case: f"{case.standin.kind}-{case.action}"
)


class Here:
    """A server with these products, and an account of each."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def connect(self, standin: type[Standin], name: str = "", **settings: Any) -> ConnectorAccount:
        given = {"url": self.server.urls[standin.kind]["url"], "allow_internal": True, **standin.settings, **settings}
        secrets = {one.name: "practice" for one in KINDS[standin.kind].secrets if one.required} | standin.secrets
        return create_account(None, standin.kind, name or standin.kind, given, secrets)

    def state(self, case: Case) -> State:
        return self.server.standins[case.standin.kind].state

    def lose(self, case: Case) -> None:
        """The first answer to something that changes is lost after it was done."""
        standin, serve = self.server.standins[case.standin.kind], self.server.standins[case.standin.kind].serve
        left = [1]

        def lossy(request: Any) -> Any:
            if left[0] and request.method != "GET" and request.path.endswith(case.lost):
                left[0] = 0
                standin._order({"kind": "after"})
            return serve(request)

        standin.serve = lossy  # type: ignore[method-assign]


@pytest.fixture
def here(folder: Folder, transactional_db: None) -> Iterator[Here]:
    with Server([VisionOne(), Aws(), *(one() for one in dict.fromkeys(case.standin for case in CASES))]) as server:
        yield Here(server)
        crew.Crew.rest()


def alert_about(blue: Team, case: Case) -> Alert:
    alert = blue_alert(blue)
    alert.entities = [{"name": case.value, **case.entity}]
    alert.save()
    return alert


def by_hand(user: User, alert: Alert, kind: str, value: str, name: str, **facts: str) -> ResponseTask:
    picked = {"alert": alert.pk, "targets": [{"kind": kind, "value": value, "facts": facts}]}
    about, targets = chosen(Actor.of(user), picked)
    task = responses.start(Actor.of(user), about, action=name, targets=targets, params={})[0]
    work()
    return followed(task)


def followed(task: ResponseTask, wait: int = 6) -> ResponseTask:
    for _ in range(wait):
        make_due()
    task.refresh_from_db()
    return task


def done(here: Here, user: User, blue: Team, case: Case) -> ResponseTask:
    return by_hand(user, alert_about(blue, case), case.kind, case.value, case.action)


@reversible
def test_done_and_undone(here: Here, responder: User, blue: Team, case: Case) -> None:
    account = here.connect(case.standin)
    task = done(here, responder, blue, case)
    assert (task.status, task.account) == ("successful", account), task.reason
    assert case.done(here.state(case))
    response_follow.inverse(Actor.of(responder), task.pk)
    work()
    undo = ResponseTask.objects.get(inverse_of=task)
    assert undo.status == "successful", undo.reason
    assert not case.done(here.state(case))


@each
def test_a_lost_answer_is_asked_for_and_nothing_is_doubled(here: Here, responder: User, blue: Team, case: Case) -> None:
    here.connect(case.standin)
    here.lose(case)
    task = done(here, responder, blue, case)
    assert task.status == "successful", task.reason
    assert case.done(here.state(case)) and case.effects(here.state(case)) == 1
    assert Attempt.objects.filter(status="unknown_outcome").count() == 1


@each
def test_a_worker_that_dies_after_acting_doubles_nothing(here: Here, responder: User, blue: Team, case: Case) -> None:
    here.connect(case.standin)
    task = done(here, responder, blue, case)
    ResponseTask.objects.filter(pk=task.pk).update(
        status="in_progress", phase="sent", lease_owner="dead", finished_at=None, accepted_at=None, reference=""
    )
    silence(task)
    followed(task, 8)
    assert task.status == "successful", task.reason
    assert case.effects(here.state(case)) == 1


@each
def test_18_what_is_never_touched_waits_for_an_approval(here: Here, responder: User, blue: Team, case: Case) -> None:
    here.connect(case.standin)
    NeverTouch.objects.create(by="name", value=case.value, reason="Payroll", added_by="Ada")
    done(here, responder, blue, case)
    approval = Approval.objects.get()
    assert "Payroll" in approval.reason and not case.done(here.state(case)) and not Attempt.objects.exists()
    approvals.approve(Actor.of(responder), approval.pk, comment="Agreed with the owner")
    work()
    followed(ResponseTask.objects.get())
    assert case.done(here.state(case))


@each
def test_a_rehearsal_shows_the_requests_and_sends_none(here: Here, blue: Team, case: Case) -> None:
    here.connect(case.standin)
    run = ran(alert_about(blue, case), case.action, dry_run=True)
    task = run.tasks.get(target_value=case.value)
    assert (task.status, task.message) == ("successful", "Dry run: nothing was sent."), task.reason
    assert any(one["method"] != "GET" for one in task.request or ())
    assert "practice" not in json.dumps([one["headers"] for one in task.request or ()])
    assert not Attempt.objects.exists() and not case.done(here.state(case))


@each
def test_a_playbook_does_it(here: Here, blue: Team, case: Case) -> None:
    here.connect(case.standin)
    run = ran(alert_about(blue, case), case.action)
    task = run.tasks.get(target_value=case.value)
    assert followed(task).status == "successful", task.reason
    assert case.done(here.state(case))


def ran(alert: Alert, name: str, **how: Any) -> Run:
    run = run_by_hand(Actor.system(), publish(graph(action("a", name))), alert=alert.pk, **how)
    work()
    return run


def test_of_several_clusters_the_one_that_is_named_acts(here: Here, responder: User, blue: Team) -> None:
    """Vision One is the oldest account; it takes what tells its ids."""
    alert = blue_alert(blue)
    here.connect(VisionOne)
    here.connect(Kubernetes, "Practice cluster")
    second = here.connect(Kubernetes, "Bank cluster", cluster="bank")
    named = {"cluster": "bank", "namespace": "ledger", "pod": "db-0"}
    assert by_hand(responder, alert, "container", "db-0", "isolate_container", **named).account == second
    assert by_hand(responder, alert, "container", "bank/ledger/db-1", "isolate_container").account == second
    ids = {"cluster": "bank", "pod": "p-1"}
    task = by_hand(responder, alert, "container", "web", "isolate_container", **ids)
    assert task.account is not None and task.account.kind == "visionone"


def test_each_cloud_gets_its_own(here: Here, responder: User, blue: Team) -> None:
    alert = blue_alert(blue)
    aws, google = here.connect(Aws), here.connect(GoogleIam)
    assert by_hand(responder, alert, "cloud_account", "ci-bot", "revoke_cloud_access").account == aws
    assert by_hand(responder, alert, "cloud_account", BOT, "revoke_cloud_access").account == google


def test_a_pod_of_no_cluster_that_is_connected_is_said(here: Here, responder: User, blue: Team) -> None:
    here.connect(Kubernetes)
    task = by_hand(responder, blue_alert(blue), "container", "other/shop/web-7f", "isolate_container")
    assert task.status == "unsuccessful" and "is of the cluster other" in task.reason
    assert not Attempt.objects.exists()
