"""Directories and firewalls in the hands of the engine: rehearsal, never-touch, done once, undone, lost answers, and
which of several products acts (connectors.md 2 and 3, response-playbooks.md 15 to 18)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cases.actors import Actor
from cases.models import Alert
from playbooks.actions import approvals, response_follow, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.runs import run_by_hand
from playbooks.models import Approval, NeverTouch, ResponseTask
from playbooks.response import crew
from soar.accounts.models import Team, User
from soar.connectors.actions import create_account
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.registry import KINDS
from soar.connectors.routing import add_route
from soar.standins.base import Standin
from soar.standins.fortinet import FortiGate
from soar.standins.ldap import Ldap
from soar.standins.panos import PanOs
from soar.standins.server import Server
from tests.approving import blue_alert
from tests.playbook_files import Folder, folder, work
from tests.response_tools import action, graph, make_due, publish

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
BAD = "9.9.9.10"


@dataclass
class Case:
    """What a product is asked to do, and how one sees there that it was done."""

    standin: type[Standin]
    action: str
    kind: str
    value: str
    done: Callable[[dict[str, Any]], bool]


def _disabled(state: dict[str, Any]) -> bool:
    anna = next(one for one in state["entries"].values() if one.get("sAMAccountName") == ["a.voss"])
    return bool(anna["userAccountControl"] == ["514"])


CASES = [
    Case(Ldap, "disable_account", "account", "a.voss", _disabled),
    Case(PanOs, "block", "ip", BAD, lambda state: state["tags"].get(BAD) == {"soar-blocked": 0}),
    Case(FortiGate, "block", "ip", BAD, lambda state: f"soar-{BAD}" in state["groups"]["addrgrp"]["soar-blocked"]),
]
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.standin.kind)


class Here:
    """A server with these products, and an account of each."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.accounts: dict[str, ConnectorAccount] = {}

    def connect(self, *standins: type[Standin]) -> None:
        for one in standins:
            given = {"url": self.server.urls[one.kind]["url"], "allow_internal": True, **one.settings}
            secrets = {secret.name: "practice" for secret in KINDS[one.kind].secrets} | one.secrets
            self.accounts[one.kind] = create_account(None, one.kind, one.kind, given, secrets)

    def state(self, case: Case) -> dict[str, Any]:
        return self.server.standins[case.standin.kind].state

    def fault(self, case: Case, kind: str) -> None:
        assert self.server.standins[case.standin.kind]._order({"kind": kind}).status == 200


@pytest.fixture
def here(folder: Folder, transactional_db: None) -> Iterator[Here]:
    with Server([Ldap(), PanOs(), FortiGate()]) as server:
        yield Here(server)
        crew.Crew.rest()


@pytest.fixture
def alert(blue: Team) -> Alert:
    return blue_alert(blue, ("ip", BAD))


def by_hand(user: User, alert: Alert, case: Case) -> ResponseTask:
    picked = {"alert": alert.pk, "targets": [{"kind": case.kind, "value": case.value}]}
    about, targets = chosen(Actor.of(user), picked)
    task = responses.start(Actor.of(user), about, action=case.action, targets=targets, params={})[0]
    work()
    task.refresh_from_db()
    return task


@each
def test_done_and_undone(here: Here, responder: User, alert: Alert, case: Case) -> None:
    here.connect(case.standin)
    task = by_hand(responder, alert, case)
    assert task.status == "successful", task.reason
    assert case.done(here.state(case)) and task.account == here.accounts[case.standin.kind]
    response_follow.inverse(Actor.of(responder), task.pk)
    work()
    undo = ResponseTask.objects.get(inverse_of=task)
    assert undo.status == "successful", undo.reason
    assert not case.done(here.state(case))


@each
def test_a_lost_answer_is_tried_again_and_done_once(here: Here, responder: User, alert: Alert, case: Case) -> None:
    here.connect(case.standin)
    here.fault(case, "after")
    task = by_hand(responder, alert, case)
    for _ in range(3):
        make_due()
    task.refresh_from_db()
    assert task.status == "successful", task.reason
    assert case.done(here.state(case))
    response_follow.inverse(Actor.of(responder), task.pk)
    work()
    assert not case.done(here.state(case))


@each
def test_18_what_is_never_touched_waits_for_an_approval(here: Here, responder: User, alert: Alert, case: Case) -> None:
    here.connect(case.standin)
    NeverTouch.objects.create(by="name", value=case.value, reason="Payroll", added_by="Ada")
    by_hand(responder, alert, case)
    approval = Approval.objects.get()
    assert "Payroll" in approval.reason and not case.done(here.state(case))
    assert not Attempt.objects.filter(account=here.accounts[case.standin.kind]).exists()
    approvals.approve(Actor.of(responder), approval.pk, comment="Agreed with the owner")
    work()
    assert case.done(here.state(case))


@each
def test_a_rehearsal_shows_the_requests_and_sends_none(here: Here, alert: Alert, case: Case) -> None:
    here.connect(case.standin)
    playbook = publish(graph(action("a", case.action)))
    run = run_by_hand(Actor.system(), playbook, alert=alert.pk, dry_run=True)
    work()
    task = run.tasks.get(target_value=case.value)
    assert task.status == "successful", task.reason
    assert task.request and "a-range-password" not in json.dumps(task.request)
    assert not Attempt.objects.exists() and not case.done(here.state(case))


def test_a_firewall_is_not_asked_to_block_what_it_cannot(here: Here, responder: User, blue: Team) -> None:
    """A name goes past PAN-OS, though it is the older account, to FortiGate; a file stays on our own list."""
    here.connect(PanOs, FortiGate)
    name = Case(FortiGate, "block", "domain", "evil-one.com", lambda state: True)
    task = by_hand(responder, blue_alert(blue, ("domain", "evil-one.com")), name)
    assert (task.status, task.account) == ("successful", here.accounts["fortinet"])
    sha = Case(FortiGate, "block", "hash", "ab" * 32, lambda state: True)
    task = by_hand(responder, blue_alert(blue, ("sha256", "ab" * 32)), sha)
    assert (task.status, task.account) == ("successful", None)


def test_a_rule_chooses_between_two_that_can(here: Here, responder: User, alert: Alert) -> None:
    here.connect(PanOs, FortiGate)
    add_route(None, account=here.accounts["fortinet"].pk, capability="block")
    task = by_hand(responder, alert, CASES[2])
    assert task.account == here.accounts["fortinet"] and CASES[2].done(here.state(CASES[2]))
    assert here.state(CASES[1])["tags"] == {}
