"""The never-touch list holds for what a connector really acts on, whatever the target is called (response-playbooks.md
18, rulings 9): it is asked once more with the names that the product tells of what it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from cases.actors import Actor
from playbooks.actions import approvals
from playbooks.models import Approval, NeverTouch, ResponseTask
from playbooks.response import crew
from soar.accounts.models import User
from soar.connectors.models import BlockEntry
from soar.standins.aws import ACCOUNT, Aws, key_of
from soar.standins.base import Standin
from soar.standins.crowdstrike import CrowdStrike, host_of
from soar.standins.defender import Defender
from soar.standins.entra import Entra
from soar.standins.fortinet import FortiGate
from soar.standins.google_iam import PROJECT, GoogleIam, key_file
from soar.standins.kubernetes import Kubernetes
from soar.standins.ldap import BASE, PASSWORD, USERNAME, Ldap
from soar.standins.okta import Okta
from soar.standins.panos import PanOs
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice
from tests.api import Api
from tests.factories import make_asset
from tests.playbook_files import work
from tests.response_tools import make_due
from tests.test_aws import SECRETS as AWS

pytestmark = pytest.mark.django_db(transaction=True)
MICROSOFT = {"tenant": "tenant.example.com", "client_id": "app-1"}
BOSS = "boss@practice.example.com"
BAD = "203.0.113.66"
AGENT, MACHINE = "a" * 32, "b" * 40


@dataclass(frozen=True)
class Case:
    """``target``: what the alert or a person names. ``rule``: of the list, by the name that people know. ``touched``:
    whether the product did it."""

    standin: Callable[[], Standin]
    secrets: dict[str, str]
    action: str
    kind: str
    target: str
    rule: str
    touched: Callable[[Range], bool]
    settings: dict[str, str] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    prepared: Callable[[Any], None] = lambda standin: None


def entra_user(standin: Any) -> None:
    standin._know(BOSS)
    [user] = standin.state["users"].values()
    standin.state["users"] = {BOSS_ID: {**user, "id": BOSS_ID, "proxyAddresses": ["SMTP:chief@corp.example"]}}


def okta_user(standin: Any) -> None:
    standin._known("boss")["profile"]["email"] = "chief@corp.example"


def machine(standin: Any) -> None:
    told = {"id": MACHINE, "computerDnsName": "dc01.corp.example", "lastIpAddress": "10.9.9.9", "isolated": False}
    standin.state["machines"][MACHINE] = {**told, "lastSeen": "2026-01-01T00:00:00Z"}


def host(standin: Any) -> None:
    standin.state["hosts"][AGENT] = host_of(AGENT, "DC01", local_ip="10.9.9.9")


def nora(standin: Any) -> None:
    user = {"arn": f"arn:aws:iam::{ACCOUNT}:user/ops/nora", "keys": {key_of("nora"): "Active"}, "policies": {}}
    standin.state["users"]["nora"] = user


def disabled(here: Range) -> bool:
    return any(not one["accountEnabled"] for one in here.state["users"].values())


def suspended(here: Range) -> bool:
    return any(one["status"] == "SUSPENDED" for one in here.state["users"].values())


def denied(here: Range) -> bool:
    return bool(here.state["users"]["nora"]["policies"])


def agent(standin: Any) -> None:
    standin.state["endpoints"]["DC01"] = {"guid": AGENT, "ip": ["10.9.9.9"]}


def isolated(here: Range) -> bool:
    return bool(here.state["policies"])


def named(standin: Any) -> None:
    """An object that people made for the address, in a group of theirs."""
    about = {"name": "srv-dns", "type": "ipmask", "subnet": f"{BAD} 255.255.255.255"}
    standin.state["objects"]["address"] = {"srv-dns": about, "other": {**about, "name": "other", "subnet": "0.0.0.0"}}
    standin.state["groups"]["addrgrp"]["servers"] = ["srv-dns"]


def in_group(here: Range) -> bool:
    """At the firewall or on our own list, which firewalls read too."""
    listed = BlockEntry.objects.filter(removed_at=None).exists()
    return listed or f"soar-{BAD}" in here.state["groups"]["addrgrp"]["soar-blocked"]


BOSS_ID = "11111111-2222-3333-4444-555555555555"
ANNA = f"CN=Anna Voss,OU=Staff,{BASE}"
SIGN = {"client_secret": "a-secret"}
CASES = {
    "entra, by object id": Case(Entra, SIGN, "disable_account", "account", BOSS_ID, BOSS, disabled, MICROSOFT,
                                prepared=entra_user),
    "entra, user_id instead": Case(Entra, SIGN, "disable_account", "account", "intern", BOSS, disabled, MICROSOFT,
                                   {"user_id": BOSS_ID}, entra_user),
    "entra, alias": Case(Entra, SIGN, "disable_account", "account", BOSS, "chief@corp.example", disabled, MICROSOFT,
                         prepared=entra_user),
    "okta, by address": Case(Okta, {"token": "t-1"}, "disable_account", "account", "chief@corp.example", "boss",
                             suspended, prepared=okta_user),
    "ldap, by its place in the tree": Case(
        Ldap, {"username": USERNAME, "password": PASSWORD}, "disable_account", "account", ANNA, "a.voss",
        lambda here: bool(here.state["modified"]), {"base_dn": BASE, "domain": "PRACTICE"}),
    "ldap, rule with the domain": Case(
        Ldap, {"username": USERNAME, "password": PASSWORD}, "disable_account", "account", ANNA, "PRACTICE\\a.voss",
        lambda here: bool(here.state["modified"]), {"base_dn": BASE, "domain": "PRACTICE"}),
    "aws, by access key": Case(Aws, AWS,
                               "revoke_cloud_access", "cloud_account", key_of("nora"), "nora", denied, prepared=nora),
    "google, by number": Case(
        GoogleIam, {"key_file": key_file()}, "revoke_cloud_access", "cloud_account", str(10**20 + 1),
        f"payroll@{PROJECT}.iam.gserviceaccount.com",
        lambda here: any(one.get("disabled") for one in here.state["accounts"].values()), {"project": PROJECT},
        prepared=lambda standin: standin._known("payroll")),
    "defender, by id": Case(Defender, SIGN, "isolate_endpoint", "endpoint", "LT-0042", "DC01",
                            lambda here: bool(here.state["actions"]), MICROSOFT, {"guid": MACHINE}, machine),
    "falcon, by sensor": Case(CrowdStrike, {"client_id": "f-1", "client_secret": "f-2"}, "isolate_endpoint",
                              "endpoint", "LT-0042", "dc01", lambda here: "contain" in here.state["calls"], {},
                              {"guid": AGENT}, host),
    "vision one, by agent": Case(VisionOne, {"token": "v-1"}, "isolate_endpoint", "endpoint", "LT-0042", "dc01",
                                 lambda here: any(one.get("isolated") for one in here.state["endpoints"].values()), {},
                                 {"guid": AGENT}, agent),
    "kubernetes, by what runs it": Case(Kubernetes, {"token": "t-1"}, "isolate_container", "container",
                                        "practice/shop/web-7f", "web", isolated, {"cluster": "practice"}),
    "kubernetes, by the node": Case(Kubernetes, {"token": "t-1"}, "isolate_container", "container",
                                    "practice/shop/web-7f", "node-3", isolated, {"cluster": "practice"}),
    "kubernetes, deleted": Case(Kubernetes, {"token": "t-1"}, "terminate_container", "container",
                                "practice/shop/db-0", "db", lambda here: bool(here.state["calls"].get("delete pods")),
                                {"cluster": "practice"}),
    "fortinet, by its object": Case(FortiGate, {"token": "key-of-the-fortigate"}, "block", "ip", BAD, "srv-dns",
                                    in_group, prepared=named),
    "fortinet, by a group of it": Case(FortiGate, {"token": "key-of-the-fortigate"}, "block", "ip", BAD, "servers",
                                       in_group, prepared=named),
    "vision one, account_name instead": Case(VisionOne, {"token": "v-1"}, "disable_account", "account", "intern",
                                             "boss", lambda here: "boss" in here.state["accounts"], {},
                                             {"account_name": "boss"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_rest() -> Iterator[None]:
    yield
    crew.Crew.rest()


def asked(user: User, case: Case) -> ResponseTask:
    target = {"kind": case.kind, "value": case.target, "facts": case.facts}
    answer = Api(user).post("/response-tasks/", {"action": case.action, "targets": [target]})
    assert answer.status_code in (201, 202), answer.content
    work()
    return ResponseTask.objects.get()


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_18_what_is_found_is_asked_about_before_it_is_touched(case: Case, admin: User, responder: User) -> None:
    NeverTouch.objects.create(by="name", value=case.rule, reason="Runs the line", added_by="Ada")
    with practice(case.standin(), case.secrets, **case.settings) as here:
        case.prepared(here.standin)
        task = asked(responder, case)
        assert task.status == "pending_approval", (task.status, task.reason)
        assert task.reason == f"Never-touch list: Runs the line (name {case.rule})"
        assert not case.touched(here)
        approvals.approve(Actor.of(admin), Approval.objects.get().pk, comment="The board knows")
        work()
        for _ in range(4):
            make_due()
        task.refresh_from_db()
        assert task.status == "successful", (task.status, task.reason)
        assert case.touched(here) and Approval.objects.count() == 1


@pytest.mark.parametrize(("by", "value"), [("network", "10.9.0.0/16"), ("criticality", "critical"), ("tag", "tier0")])
def test_18_a_host_is_known_by_its_address_and_asset_too(by: str, value: str, responder: User) -> None:
    """The alert tells the sensor of one host and the name of another: what is cut off is the sensor's."""
    NeverTouch.objects.create(by=by, value=value, reason="Runs the line", added_by="Ada")
    make_asset("dc01", criticality=4, tags=["tier0"])
    case = CASES["falcon, by sensor"]
    with practice(case.standin(), case.secrets) as here:
        case.prepared(here.standin)
        task = asked(responder, case)
        assert (task.status, case.touched(here)) == ("pending_approval", False)


@pytest.mark.parametrize(
    ("action", "by", "value"),
    [
        ("isolate_container", "network", "10.244.0.0/16"),
        ("isolate_container", "network", "10.20.0.0/24"),
        ("isolate_container", "tag", "app=web"),
        ("terminate_container", "criticality", "critical"),
    ],
)
def test_18_a_pod_is_known_by_its_addresses_labels_and_node(action: str, by: str, value: str, responder: User) -> None:
    NeverTouch.objects.create(by=by, value=value, reason="Runs the shop", added_by="Ada")
    make_asset("node-3", criticality=4)
    with practice(Kubernetes(), {"token": "t-1"}, cluster="practice") as here:
        body = {"action": action, "targets": [{"kind": "container", "value": "practice/shop/web-7f"}]}
        assert Api(responder).post("/response-tasks/", body).status_code == 201
        work()
        assert ResponseTask.objects.get().status == "pending_approval"
        assert not here.state["policies"] and not here.state["calls"]


def test_18_an_address_is_known_by_the_tags_it_has_at_the_firewall(admin: User, responder: User) -> None:
    NeverTouch.objects.create(by="tag", value="crown-jewel", reason="Runs the line", added_by="Ada")
    body = {"action": "block", "targets": [{"kind": "ip", "value": BAD}]}
    with practice(PanOs(), {"token": "key-of-the-firewall"}) as here:
        here.state["tags"][BAD] = {"crown-jewel": 0}
        assert Api(responder).post("/response-tasks/", body).status_code == 201
        work()
        task = ResponseTask.objects.get()
        assert (task.status, task.reason) == (
            "pending_approval", "Never-touch list: Runs the line (tag crown-jewel)"
        )  # fmt: skip
        assert here.state["tags"][BAD] == {"crown-jewel": 0} and not BlockEntry.objects.exists()
        approvals.approve(Actor.of(admin), Approval.objects.get().pk, comment="The board knows")
        work()
        assert set(here.state["tags"][BAD]) == {"crown-jewel", "soar-blocked"} and BlockEntry.objects.exists()


@pytest.mark.parametrize("fault", ["403", "500"])
def test_18_a_firewall_that_cannot_be_asked_keeps_nobody_from_our_list(fault: str, responder: User) -> None:
    NeverTouch.objects.create(by="tag", value="crown-jewel", reason="Runs the line", added_by="Ada")
    body = {"action": "block", "targets": [{"kind": "ip", "value": BAD}]}
    with practice(PanOs(), {"token": "key-of-the-firewall"}) as here:
        here.state["tags"][BAD] = {"crown-jewel": 0}
        here.fault(fault, times=50)
        assert Api(responder).post("/response-tasks/", body).status_code == 201
        work()
        assert BlockEntry.objects.exists() and ResponseTask.objects.get().status in ("queued", "unsuccessful")
        assert here.state["tags"][BAD] == {"crown-jewel": 0}


def test_18_vision_one_without_the_right_to_look_goes_by_the_names_of_the_alert(responder: User) -> None:
    NeverTouch.objects.create(by="name", value="dc01", reason="Runs the line", added_by="Ada")
    case = CASES["vision one, by agent"]
    with practice(case.standin(), case.secrets) as here:
        case.prepared(here.standin)
        here.state["blind"] = True
        assert asked(responder, case).status == "in_progress"
        health = here.connector().test()
        assert health.ok and "Endpoint Inventory" in health.message


def test_18_what_nobody_protects_is_done_at_once(responder: User) -> None:
    NeverTouch.objects.create(by="name", value="somebody.else", reason="Runs the line", added_by="Ada")
    case = CASES["entra, by object id"]
    with practice(case.standin(), case.secrets, **case.settings) as here:
        case.prepared(here.standin)
        assert asked(responder, case).status == "successful" and case.touched(here)
