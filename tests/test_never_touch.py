"""The never-touch list (response-playbooks.md 18): what a rule holds back, and who changes the list."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from playbooks.models import NeverTouch
from playbooks.never_touch import Rule, match, rules
from soar.accounts.models import AuditEntry, User
from tests.api import Api, problem_of, wrong_fields
from tests.fixtures import client_of
from tests.playbook_pages import EVIL, text_of

URL = "/settings/never-touch/"
ASSET = {"name": "SRV-PAY-01", "addresses": ["10.20.4.31"], "tags": ["Tier0", "payroll"], "criticality": "high"}


def rule(by: str, value: str, *kinds: str) -> Rule:
    return Rule(by, value.lower(), kinds, "Payroll", f"{by} {value}")


@pytest.mark.parametrize(
    ("held", "found", "kind", "value", "facts", "asset"),
    [
        (rule("name", "srv-pay-01"), True, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "srv-pay-01"), True, "endpoint", "srv-pay-01.corp.example", {}, None),
        (rule("name", "srv-pay-0"), False, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "SRV-PAY-*"), True, "endpoint", "srv-pay-77", {}, None),
        (rule("name", "*-01"), True, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "*pay*"), True, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "srv-pay-01", "account"), False, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "srv-pay-01", "endpoint"), True, "process", "mimikatz.exe", {"endpoint": "SRV-PAY-01"}, None),
        (rule("name", "srv-pay-01"), True, "file", "C:\\x.dll", {"endpoint": "srv-pay-01"}, None),
        (rule("name", "a.voss"), True, "account", "CORP\\a.voss", {}, None),
        (rule("name", "a.voss"), True, "account", "A.Voss@corp.example", {}, None),
        (rule("name", "srv-pay-01.corp.example"), True, "endpoint", "SRV-PAY-01", {}, None),
        (rule("name", "dc01.corp.example"), True, "endpoint", "DC01.corp.example.", {}, None),
        (rule("name", "portal.corp.example"), True, "url", "http://portal.corp.example./x", {}, None),
        (rule("name", "portal.corp.example"), True, "domain", "portal.corp.example.", {}, None),
        (rule("name", "10.0.0.5"), True, "ip", "::ffff:10.0.0.5", {}, None),
        (rule("network", "10.0.0.0/8"), True, "ip", "::ffff:10.0.0.5", {}, None),
        (rule("network", "10.0.0.0/8"), True, "url", "http://[::ffff:a00:5]/x", {}, None),
        (rule("name", "a.voss"), True, "account", "corp/a.voss", {}, None),
        (rule("name", "corp.example"), True, "sender", "boss@corp.example", {}, None),
        (rule("name", "corp.example"), False, "sender", "boss@corp.example.net", {}, None),
        (rule("name", "boss"), True, "account", "intern", {"account_name": "CORP\\boss"}, None),
        (rule("name", "u-1"), True, "account", "intern", {"user_id": "U-1"}, None),
        (rule("name", "nora"), True, "cloud_account", "intern", {"user_name": "nora"}, None),
        (rule("name", "nora"), True, "cloud_account", "arn:aws:iam::123456789012:user/ops/nora", {}, None),
        (rule("name", "pay-7d9"), True, "container", "web", {"pod": "pay-7d9"}, None),
        (rule("name", "srv-pay-01.corp.example"), False, "endpoint", "srv-pay-01.other.example", {}, None),
        (rule("name", "CORP\\a.voss"), True, "account", "a.voss", {}, None),
        (rule("name", "CORP\\a.voss"), False, "account", "OTHER\\a.voss", {}, None),
        (rule("name", "*@corp.example"), True, "sender", "ceo@corp.example", {}, None),
        (rule("name", "ceo@corp.example"), True, "message", "<1@x>", {"mailbox": "CEO@corp.example"}, None),
        (rule("name", "portal.corp.example"), True, "url", "https://portal.corp.example/x?y", {}, None),
        (rule("name", "10.0.0.1"), True, "ip", "10.0.0.1", {}, None),
        (rule("network", "10.20.0.0/16"), True, "ip", "10.20.4.31", {}, None),
        (rule("network", "10.20.0.0/16"), False, "ip", "10.21.4.31", {}, None),
        (rule("network", "10.20.0.0/16"), True, "url", "http://10.20.4.31:8080/x", {}, None),
        (rule("network", "10.20.0.0/16"), True, "endpoint", "SRV", {"addresses": ["10.20.4.31"]}, None),
        (rule("network", "10.20.0.0/16"), True, "endpoint", "SRV", {}, ASSET),
        (rule("network", "2001:db8::/32"), True, "ip", "2001:db8::7", {}, None),
        (rule("network", "2001:db8::/32"), False, "ip", "10.20.4.31", {}, None),
        (rule("tag", "tier0"), True, "endpoint", "SRV", {}, ASSET),
        (rule("tag", "tier0"), True, "account", "a.voss", {"tags": ["TIER0"]}, None),
        (rule("tag", "tier1"), False, "endpoint", "SRV", {}, ASSET),
        (rule("tag", "tier0", "account"), False, "endpoint", "SRV", {}, ASSET),
        (rule("criticality", "high"), True, "endpoint", "SRV", {}, ASSET),
        (rule("criticality", "medium"), True, "endpoint", "SRV", {}, ASSET),
        (rule("criticality", "critical"), False, "endpoint", "SRV", {}, ASSET),
        (rule("criticality", "low"), False, "endpoint", "SRV", {}, {**ASSET, "criticality": "unknown"}),
        (rule("criticality", "low"), False, "endpoint", "SRV", {}, None),
    ],
)
def test_18_what_a_rule_holds(
    held: Rule, found: bool, kind: str, value: str, facts: dict[str, Any], asset: dict[str, Any] | None
) -> None:
    said = match([held], kind, value, facts, asset)
    assert bool(said) is found
    if found:
        assert "Never-touch list: Payroll" in said
        assert held.shown in said


@pytest.mark.parametrize("value", ["http://[broken", "", "[", "x" * 10_000, "10.0.0.999/8", "\x00"])
@pytest.mark.parametrize("kind", ["url", "ip", "endpoint", "account", "hash"])
def test_odd_values_break_nothing(kind: str, value: str) -> None:
    listed = [rule("network", "10.0.0.0/8"), rule("name", "z*"), rule("tag", "t"), rule("network", "nonsense")]
    assert match(listed, kind, value, {"addresses": "none", "tags": None, "endpoint": 7}, {"addresses": None}) == ""


def added(client: Client, **fields: Any) -> Any:
    return client.post(URL, {"by": "name", "value": "SRV-*", "reason": "Servers", **fields})


@pytest.mark.django_db
def test_18_add_and_remove(as_admin: Client, as_viewer: Client) -> None:
    assert added(as_admin, kinds=["endpoint"]).status_code == 302
    assert match(rules(), "endpoint", "srv-1") == "Never-touch list: Servers (name SRV-*)"
    assert match(rules(), "account", "srv-1") == ""
    text = text_of(as_viewer.get(URL))
    for words in ("SRV-*", "Servers", "Ada Admin", "Endpoint"):
        assert words in text
    row = NeverTouch.objects.get()
    assert "already" in text_of(added(as_admin, value="srv-*"), 422)
    assert as_admin.post(f"{URL}{row.pk}/remove/").status_code == 302
    assert as_admin.post(f"{URL}{row.pk}/remove/").status_code == 404
    assert rules() == []
    told = [(entry.verb, entry.target, entry.data.get("reason")) for entry in AuditEntry.objects.order_by("id")]
    assert told[-2:] == [
        ("never_touch.added", "name SRV-*", "Servers"),
        ("never_touch.removed", "name SRV-*", "Servers"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"value": ""}, "required"),
        ({"reason": ""}, "required"),
        ({"value": "*"}, "A * may stand"),
        ({"value": "a*b"}, "A * may stand"),
        ({"by": "network", "value": "10.0.0.0/99"}, "A network is written like"),
        ({"by": "criticality", "value": "huge"}, "A criticality is one of"),
        ({"by": "colour"}, "not one of the available choices"),
        ({"kinds": ["car"]}, "not one of the available choices"),
        ({"value": "x" * 301}, "300"),
        ({"reason": "x" * 501}, "500"),
    ],
)
def test_what_is_refused(as_admin: Client, fields: dict[str, Any], told: str) -> None:
    assert told in text_of(added(as_admin, **fields), 422)
    assert not NeverTouch.objects.exists()


@pytest.mark.django_db
def test_a_network_is_brought_into_its_form(as_admin: Client) -> None:
    added(as_admin, by="network", value="10.20.4.31/16")
    assert NeverTouch.objects.get().value == "10.20.0.0/16"


@pytest.mark.django_db
def test_who_may(as_viewer: Client, as_admin: Client, responder: User, author: User, nobody: User) -> None:
    added(as_admin)
    pk = NeverTouch.objects.get().pk
    for other in (as_viewer, client_of(responder), client_of(author)):
        assert added(other, value="mine").status_code == 403
        assert other.post(f"{URL}{pk}/remove/").status_code == 403
        assert 'name="reason"' not in text_of(other.get(URL))
    assert client_of(nobody).get(URL).status_code == 403
    assert as_admin.get(f"{URL}{pk}/remove/").status_code == 405
    assert NeverTouch.objects.count() == 1


@pytest.mark.django_db
def test_values_are_shown_not_run(as_admin: Client) -> None:
    added(as_admin, value=EVIL, reason=EVIL)
    assert EVIL not in text_of(as_admin.get(URL))


@pytest.mark.django_db
def test_the_api(admin: User, viewer: User, nobody: User) -> None:
    api, reader = Api(admin), Api(viewer)
    made = api.post("/never-touch/", {"by": "tag", "value": "tier0", "reason": "Tier 0", "kinds": ["endpoint"]})
    assert made.status_code == 201
    assert [row["value"] for row in reader.get("/never-touch/").json()["results"]] == ["tier0"]
    problem_of(reader.post("/never-touch/", {"by": "tag", "value": "x", "reason": "y"}), 403)
    problem_of(reader.delete(f"/never-touch/{made.json()['id']}/"), 403)
    problem_of(Api(nobody).get("/never-touch/"), 403)
    assert wrong_fields(api.post("/never-touch/", {"by": "tag", "value": "Tier0", "reason": "x"})) == {"value"}
    assert wrong_fields(api.post("/never-touch/", {"by": "x", "value": "1", "reason": "y"})) == {"by"}
    assert api.delete(f"/never-touch/{made.json()['id']}/").status_code == 204
    problem_of(api.delete(f"/never-touch/{made.json()['id']}/"), 404)
