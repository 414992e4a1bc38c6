"""An undo takes back what its task changed; what was so before, by another hand, stays (response-playbooks.md 17)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import reverse

from cases.actors import Actor
from cases.errors import Conflict
from playbooks.actions import response_follow
from playbooks.models import ResponseTask
from playbooks.response import crew
from soar.accounts.models import User
from soar.connectors.blocklist import actions as blocklist
from soar.connectors.models import BlockEntry
from soar.standins.aws import ACCOUNT, Aws, key_of
from soar.standins.base import Standin
from soar.standins.crowdstrike import CrowdStrike
from soar.standins.defender import Defender
from soar.standins.entra import Entra
from soar.standins.fortinet import FortiGate
from soar.standins.google_iam import PROJECT, GoogleIam, key_file
from soar.standins.ldap import BASE, PASSWORD, USERNAME, Ldap
from soar.standins.okta import Okta
from soar.standins.panos import PanOs
from soar.standins.visionone import VisionOne
from tests.acting import practice
from tests.api import Api
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.response_tools import make_due
from tests.test_aws import SECRETS as AWS

pytestmark = pytest.mark.django_db(transaction=True)
MICROSOFT = {"tenant": "tenant.example.com", "client_id": "app-1"}
SIGN = {"client_secret": "a-secret"}
SHA256, BAD, STAYS = "ab" * 32, "203.0.113.66", "was so before that task, and stays so"


@dataclass(frozen=True)
class Case:
    """``on``: whether the product has it so now."""

    standin: Callable[[], Standin]
    secrets: dict[str, str]
    action: str
    kind: str
    value: str
    on: Callable[[dict[str, Any]], bool]
    settings: dict[str, str] = field(default_factory=dict)
    prepared: Callable[[Any], None] = lambda standin: None


def nora(standin: Any) -> None:
    user = {"arn": f"arn:aws:iam::{ACCOUNT}:user/nora", "keys": {key_of("nora"): "Active"}, "policies": {}}
    standin.state["users"]["nora"] = user


def bot(standin: Any) -> None:
    standin._known("ci-bot")


def anna(state: dict[str, Any]) -> bool:
    [found] = [one for one in state["entries"].values() if one.get("sAMAccountName") == ["a.voss"]]
    return bool(int(found["userAccountControl"][0]) & 2)


CASES = {
    "entra": Case(Entra, SIGN, "disable_account", "account", "a.voss",
                  lambda state: [one["accountEnabled"] for one in state["users"].values()] == [False], MICROSOFT),
    "okta": Case(Okta, {"token": "t-1"}, "disable_account", "account", "a.voss",
                 lambda state: "SUSPENDED" in [one["status"] for one in state["users"].values()]),
    "ldap": Case(Ldap, {"username": USERNAME, "password": PASSWORD}, "disable_account", "account", "a.voss", anna,
                 {"base_dn": BASE}),
    "defender": Case(Defender, SIGN, "isolate_endpoint", "endpoint", "LT-0042",
                     lambda state: [one["isolated"] for one in state["machines"].values()] == [True], MICROSOFT),
    "falcon": Case(CrowdStrike, {"client_id": "f-1", "client_secret": "f-2"}, "isolate_endpoint", "endpoint",
                   "LT-0042", lambda state: [one["status"] for one in state["hosts"].values()] == ["contained"]),
    "falcon's indicators": Case(CrowdStrike, {"client_id": "f-1", "client_secret": "f-2"}, "block", "hash", SHA256,
                                lambda state: bool(state["indicators"])),
    "vision one": Case(VisionOne, {"token": "v-1"}, "isolate_endpoint", "endpoint", "LT-0042",
                       lambda state: [one["isolated"] for one in state["endpoints"].values()] == [True]),
    "panos": Case(PanOs, {"token": "key-of-the-firewall"}, "block", "ip", BAD,
                  lambda state: "soar-blocked" in state["tags"].get(BAD, {})),
    "fortinet": Case(FortiGate, {"token": "key-of-the-fortigate"}, "block", "ip", BAD,
                     lambda state: f"soar-{BAD}" in state["groups"]["addrgrp"]["soar-blocked"]),
    "aws": Case(Aws, AWS, "revoke_cloud_access",
                "cloud_account", "nora", lambda state: bool(state["users"]["nora"]["policies"]), {}, nora),
    "google": Case(GoogleIam, {"key_file": key_file()}, "revoke_cloud_access", "cloud_account",
                   f"ci-bot@{PROJECT}.iam.gserviceaccount.com",
                   lambda state: any(one.get("disabled") for one in state["accounts"].values()),
                   {"project": PROJECT}, bot),
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    yield
    crew.Crew.rest()


def over(task: ResponseTask) -> ResponseTask:
    work()
    for _ in range(8):
        make_due()
    task.refresh_from_db()
    return task


def done(user: User, case: Case) -> ResponseTask:
    body = {"action": case.action, "targets": [{"kind": case.kind, "value": case.value}]}
    answer = Api(user).post("/response-tasks/", body)
    assert answer.status_code == 201, answer.content
    task = over(ResponseTask.objects.latest("pk"))
    assert task.status == "successful", (task.status, task.reason)
    return task


def undone(user: User, task: ResponseTask) -> ResponseTask:
    return over(response_follow.inverse(Actor.of(user), task.pk))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_17_what_was_so_before_stays_so(case: Case, responder: User) -> None:
    with practice(case.standin(), case.secrets, **case.settings) as here:
        case.prepared(here.standin)
        first = done(responder, case)
        second = done(responder, case)
        assert case.on(here.state) and (first.data["changed"], second.data["changed"]) == (True, False)
        with pytest.raises(Conflict, match=STAYS):
            response_follow.inverse(Actor.of(responder), second.pk)
        assert Api(responder).post(f"/response-tasks/{second.pk}/inverse/").status_code == 409
        assert case.on(here.state)
        # The task that did it still can be undone, and then there is nothing left.
        assert undone(responder, first).status == "successful" and not case.on(here.state)


MAIL = {"value": "<m-1@mail.example>", "kind": "message", "facts": {"mailbox": "lena@corp.example"}}
PLACES = {
    "": ("moveToInbox", True),
    "Junk folder": ("moveToJunk", True),
    "Deleted items": ("moveToDeletedItems", True),
    "Quarantine": ("", False),
}


@pytest.mark.parametrize("before", PLACES)
def test_17_a_message_goes_back_to_where_it_was(before: str, responder: User) -> None:
    back, changed = PLACES[before]
    with practice(Entra(), SIGN, **MICROSOFT) as here:
        entra: Any = here.standin
        entra._deliver(MAIL["value"], "lena@corp.example")
        if before:
            here.state["messages"][0]["LatestDeliveryLocation"] = before
        answer = Api(responder).post("/response-tasks/", {"action": "quarantine_message", "targets": [MAIL]})
        assert answer.status_code == 201, answer.content
        task = over(ResponseTask.objects.get())
        assert (task.status, task.data.get("changed")) == ("successful", changed), task.reason
        if changed:
            assert undone(responder, task).status == "successful"
            assert here.state["remediations"][-1]["action"] == back
        else:
            with pytest.raises(Conflict, match=STAYS):
                response_follow.inverse(Actor.of(responder), task.pk)


def test_17_a_page_offers_no_undo_of_what_was_so_before(responder: User) -> None:
    case = CASES["entra"]
    with practice(case.standin(), case.secrets, **case.settings):
        first, second = done(responder, case), done(responder, case)
        offered = [
            "Enable user account"
            in client_of(responder).get(reverse("response-detail", args=[one.pk])).content.decode()
            for one in (first, second)
        ]
        assert offered == [True, False]


def test_17_our_list_and_the_firewall_are_told_apart(responder: User) -> None:
    """The firewall had the tag, our list had not: the undo takes the entry off the list, and leaves the tag."""
    case = CASES["panos"]
    with practice(case.standin(), case.secrets) as here:
        here.state["tags"][BAD] = {"soar-blocked": 0}
        undo = undone(responder, done(responder, case))
        assert undo.status == "successful" and STAYS in undo.message
        assert case.on(here.state) and not BlockEntry.objects.filter(removed_at=None).exists()


def test_17_what_our_list_had_stays_on_it(responder: User) -> None:
    blocklist.add("Ada", None, "ip", BAD, reason="Of another case")
    case = CASES["panos"]
    with practice(case.standin(), case.secrets) as here:
        undo = undone(responder, done(responder, case))
        assert undo.status == "successful" and not case.on(here.state)
        assert BlockEntry.objects.filter(removed_at=None).count() == 1


def test_17_without_a_firewall_our_list_alone_decides(responder: User) -> None:
    case = CASES["panos"]
    first, second = done(responder, case), done(responder, case)
    with pytest.raises(Conflict, match=STAYS):
        response_follow.inverse(Actor.of(responder), second.pk)
    assert undone(responder, first).status == "successful"
    assert not BlockEntry.objects.filter(removed_at=None).exists()
