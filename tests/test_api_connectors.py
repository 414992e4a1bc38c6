"""``/api/v1/connectors/``: for those who manage them; secrets go in and never come out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from guardian.shortcuts import assign_perm

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions
from soar.connectors.models import ConnectorAccount
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.visionone import VisionOne
from tests.api import Api, problem_of

pytestmark = pytest.mark.django_db
TOKEN = "tok-0123456789-abcdef"
NEW = {"kind": "visionone", "name": "V1", "settings": {"url": "https://v1.example"}, "secrets": {"token": TOKEN}}


@pytest.fixture
def practice() -> Iterator[Server]:
    with Server([Slack(), VisionOne()]) as server:
        yield server


def test_only_for_those_who_manage_connectors(responder: User, viewer: User) -> None:
    made = actions.create_account(None, "http", "EDR", {"url": "https://edr.example"}, {})
    for user in (responder, viewer):
        api = Api(user)
        for method, path in (
            ("GET", ""),
            ("POST", ""),
            ("GET", f"{made.pk}/"),
            ("PATCH", f"{made.pk}/"),
            ("POST", f"{made.pk}/test/"),
        ):
            problem_of(api.call(method, f"/connectors/{path}", {} if method != "GET" else None), 403)
    problem_of(Api(None).get("/connectors/"), 401)


def test_a_token_needs_the_scope(admin: User) -> None:
    made = actions.create_account(None, "http", "EDR", {"url": "https://edr.example"}, {})
    assign_perm("connectors.manage_connectoraccount", admin, made)
    api = Api(admin, scopes=("view_cases",))
    problem_of(api.get("/connectors/"), 403)
    problem_of(api.patch(f"/connectors/{made.pk}/", {"enabled": False}), 403)
    assert ConnectorAccount.objects.get().enabled


def test_who_manages_one_sees_that_one(responder: User) -> None:
    made = actions.create_account(None, "http", "EDR", {"url": "https://edr.example"}, {})
    other = actions.create_account(None, "http", "Other", {"url": "https://other.example"}, {})
    assign_perm("connectors.manage_connectoraccount", responder, made)
    api = Api(responder)
    assert [row["name"] for row in api.get("/connectors/").json()["results"]] == ["EDR"]
    problem_of(api.get(f"/connectors/{other.pk}/"), 404)
    problem_of(api.post("/connectors/", NEW), 403)


def test_add_read_and_list_without_secrets(admin: User) -> None:
    api = Api(admin)
    answer = api.post("/connectors/", NEW)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["kind"], made["name"], made["secrets"], made["enabled"]) == ("visionone", "V1", ["token"], True)
    assert made["settings"]["url"] == "https://v1.example"
    assert "isolate_endpoint" in made["capabilities"]
    for path in ("/connectors/", f"/connectors/{made['id']}/"):
        assert TOKEN not in api.get(path).content.decode()
    assert AuditEntry.objects.get(verb="connector.created").actor_id == admin.pk


def test_an_address_that_is_a_secret_does_not_come_back(admin: User) -> None:
    url = "https://hooks.slack.example/services/T/B/very-secret"
    answer = Api(admin).post("/connectors/", {"kind": "slack", "name": "Ops", "settings": {"url": url}})
    assert answer.json()["settings"]["url"] == "https://hooks.slack.example/••••"
    assert "very-secret" not in answer.content.decode()


def test_once_with_an_idempotency_key(admin: User) -> None:
    api, key = Api(admin), {"Idempotency-Key": "k-1"}
    first = api.post("/connectors/", NEW, headers=key).json()
    assert api.post("/connectors/", NEW, headers=key).json() == first
    assert ConnectorAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "nonesuch"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"settings": {}}, "settings.url"),
        ({"settings": {"url": "https://v1.example", "colour": "red"}}, "settings.colour"),
        ({"settings": {"url": ["https://v1.example"]}}, "settings.url"),
        ({"settings": {"url": {"a": 1}}}, "settings.url"),
        ({"settings": {"url": "https://v1.example", "timeout_seconds": 0}}, "settings.timeout_seconds"),
        ({"settings": "nonsense"}, "settings"),
        ({"secrets": {}}, "secrets.token"),
        ({"secrets": {"token": None}}, "secrets.token"),
        ({"secrets": {"token": 7}}, "secrets.token"),
        ({"secrets": {"token": "x" * 20_001}}, "secrets.token"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_input_names_its_field(admin: User, change: Any, field: str) -> None:
    problem = problem_of(Api(admin).post("/connectors/", {**NEW, **change}), 400)
    assert [row["field"] for row in problem["errors"]] == [field]
    assert not ConnectorAccount.objects.exists()


def test_change_what_is_given(admin: User) -> None:
    api = Api(admin)
    path = f"/connectors/{api.post('/connectors/', NEW).json()['id']}/"
    changed = api.patch(path, {"settings": {"rate_per_minute": 60}, "enabled": False, "name": "V1 EU"}).json()
    assert (changed["name"], changed["enabled"], changed["settings"]["rate_per_minute"]) == ("V1 EU", False, 60)
    assert changed["secrets"] == ["token"]
    api.patch(path, {"secrets": {"token": "another-token"}})
    assert ConnectorAccount.objects.get().secrets == {"token": "another-token"}
    problem_of(api.patch(path, {"settings": {"url": "https://evil.example"}}), 400)
    assert ConnectorAccount.objects.get().settings["url"] == "https://v1.example"
    problem_of(api.patch(path, {"kind": "slack"}), 400)
    problem_of(api.patch("/connectors/999999/", {}), 404)
    assert api.delete(path).status_code == 204
    assert not ConnectorAccount.objects.exists()


def test_test_a_connection_and_read_its_health(admin: User, practice: Server) -> None:
    api = Api(admin)
    settings = {"url": practice.urls["visionone"]["url"], "allow_internal": True}
    path = f"/connectors/{api.post('/connectors/', {**NEW, 'settings': settings}).json()['id']}/"
    answer = api.post(f"{path}test/")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert api.get(path).json()["last_ok_at"]
    httpx.post(f"{practice.urls['visionone']['control']}/fault", json={"kind": "401", "times": 9})
    assert answer.json().keys() == {"ok", "message", "at", "milliseconds"}
    failed = api.post(f"{path}test/", {}).json()
    assert failed["ok"] is False
    assert api.get(path).json()["last_error"] == failed["message"]
    assert TOKEN not in json.dumps(failed)
    problem_of(api.post(f"{path}test/", {"a": 1}), 400)
