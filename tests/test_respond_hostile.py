"""Odd input to responses, approvals and settings: a clear refusal or plain text, never a 500, nothing half saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from cases.models import Alert
from playbooks.actions import scripts
from playbooks.models import NeverTouch, ResponseTask, Script
from soar.accounts.models import Team, User
from tests.api import Api
from tests.approving import asked, blue_alert
from tests.fixtures import client_of
from tests.response_tools import Range, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
ODD = ["\x00", "a\x00b", "\ud800", "\u202etxt.exe", "x" * 20_000, "%s%n{0}{{x}}", "<script>", "'; --", "🦅"]


@pytest.fixture
def alert(blue: Team) -> Alert:
    return blue_alert(blue, ("domain", "evil-one.com"))


@pytest.mark.parametrize("text", ODD)
def test_the_api_takes_or_refuses(tiny: Range, responder: User, alert: Alert, text: str) -> None:
    api = Api(responder)
    host = {"kind": "endpoint", "value": "LT-0042"}
    start: dict[str, Any] = {"action": "isolate_endpoint", "targets": [host], "alert": alert.number}
    bodies = [
        {**start, "comment": text},
        {**start, "targets": [{"kind": "endpoint", "value": text}]},
        {**start, "targets": [{**host, "facts": {"guid": text}}]},
        {**start, "targets": [{**host, "facts": {text: "x"}}]},
        {**start, "action": "run_script", "params": {"script": text}},
        {**start, "action": "run_script", "params": {"script": "a.ps1", "parameters": text}},
        {**start, "params": {text: text}},
        {**start, "params": {"days": [text], "x": {"y": text}}},
        {**start, "action": text},
        {**start, "alert": text[:90]},
        {"action": "block", "targets": [{"kind": "domain", "value": text}], "params": {"days": text}},
    ]
    for body in bodies:
        assert api.post("/response-tasks/", body).status_code in (201, 400, 404), body
    for path in ("/response-tasks/", "/approvals/", "/scripts/", "/never-touch/", "/detection-models/"):
        for name in ("status", "q", "by", "action", "alert", "cursor", "ordering"):
            if text == "\ud800":
                continue  # no address can hold it
            assert api.get(path, **{name: text[:600]}).status_code in (200, 400), (path, name)


@pytest.mark.parametrize("text", ODD)
def test_decisions_take_or_refuse(tiny: Range, blue: Team, responder: User, text: str) -> None:
    approval, api = asked(blue), Api(responder)
    path = f"/approvals/{approval.pk}"
    for body in (
        {"comment": text, "tasks": [0]},
        {"tasks": [text]},
        {"tasks": text},
        {text[:50]: 1},
        {"tasks": [2**70]},
    ):
        assert api.post(f"{path}/approve/", body).status_code == 400, body
    assert api.post(f"{path}/reject/", {"comment": text}).status_code in (200, 400)


@pytest.mark.parametrize("text", [one for one in ODD if one != "\ud800"])
def test_the_pages_take_or_refuse(tiny: Range, responder: User, admin: User, alert: Alert, text: str) -> None:
    client = client_of(responder)
    scripts.add(Actor.of(admin), "a.ps1", b"dir")
    given = {"do": "start", "alert": alert.number}
    forms: list[dict[str, Any]] = [
        {**given, "action": "isolate_endpoint", "object": text, "comment": text},
        {**given, "action": "isolate_endpoint", "object": ["o1", "o2", "o3"], "comment": text},
        {**given, "action": "run_script", "object": "o2", "p-script": text, "p-parameters": text},
        {**given, "action": "run_script", "object": "o2", "p-script": "a.ps1", "p-parameters": text},
        {**given, "action": "block", "object": "o1", "p-days": text},
        {**given, "action": text},
        {"do": "start", "action": "sandbox_url", "kind": text, "values": text},
        {"do": "start", "action": "isolate_endpoint", "kind": "endpoint", "values": text},
    ]
    for form in forms:
        assert client.post("/responses/new/", form).status_code in (200, 302, 422), form
    for name in ("alert", "incident", "observable", "asset", "action"):
        assert client.get("/responses/new/", {name: text}).status_code in (200, 404)
    for name in ("status", "q", "by", "action", "time", "origin", "run", "alert", "cursor"):
        assert client.get("/responses/", {name: text}).status_code == 200
    assert client.get("/approvals/", {"cursor": text}).status_code == 200
    _settings(client_of(admin), text)


def _settings(client: Client, text: str) -> None:
    rule = {"by": "name", "value": text, "reason": text}
    assert client.post("/settings/never-touch/", rule).status_code in (302, 422)
    assert client.post("/settings/models/", {"name": text, "severity": "low"}).status_code in (302, 422)
    assert client.get("/settings/models/", {"q": text}).status_code == 200
    for page in ("/settings/never-touch/", "/settings/models/"):
        assert "<script>" not in client.get(page).content.decode().split("<main")[1].replace("</script>", "")


def test_nothing_is_half_saved(tiny: Range, responder: User, alert: Alert) -> None:
    targets = [{"kind": "url", "value": "http://evil-one.com/"}, {"kind": "url", "value": "http://"}]
    assert Api(responder).post("/response-tasks/", {"action": "sandbox_url", "targets": targets}).status_code == 400
    assert (ResponseTask.objects.count(), Script.objects.count(), NeverTouch.objects.count()) == (0, 0, 0)
