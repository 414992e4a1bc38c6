"""``/api/schema/`` and ``/api/docs/``: OpenAPI 3.1 with an example for everything, for whoever is signed in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from cases.api.reference import document
from cases.api.schema_finish import operations
from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.fixtures import client_of

# Addresses that scripts and other products rely on, by method; ``{}`` stands for whatever is filled in.
PROMISED = {
    "GET": "alerts alerts/{} alerts/{}/timeline incidents incidents/{} incidents/{}/timeline incidents/{}/alerts "
    "incidents/{}/observables incidents/{}/tasks incidents/{}/evidence incidents/{}/grants incidents/suggestions "
    "observables observables/{} playbooks playbooks/{} playbooks/{}/versions playbooks/{}/export runs runs/{} "
    "approvals response-tasks blocklist servicenow/links servicenow/conflicts",
    "POST": "ingest/{} alerts alerts/bulk alerts/{}/claim alerts/{}/assign alerts/{}/resolve alerts/{}/reopen "
    "alerts/{}/comment alerts/{}/escalate alerts/{}/link alerts/{}/unlink alerts/{}/run incidents incidents/{}/assign "
    "incidents/{}/comment incidents/{}/status incidents/{}/link incidents/{}/unlink incidents/{}/owners "
    "incidents/{}/run incidents/{}/observables incidents/{}/grants incidents/suggestions/{}/accept "
    "incidents/suggestions/{}/dismiss playbooks playbooks/{}/enable playbooks/{}/disable playbooks/{}/rehearse "
    "playbooks/{}/backtest runs/{}/cancel runs/{}/retry runs/{}/tasks/{}/decide approvals/{}/approve "
    "approvals/{}/reject blocklist servicenow/{}/events servicenow/instances "
    "servicenow/profiles incidents/{}/servicenow",
    "PATCH": "alerts/{} incidents/{} playbooks/{}",
    "DELETE": "playbooks/{} incidents/{}/grants/{}",
}


@cache
def schema() -> dict[str, Any]:
    return document()


def calls() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, method, call in operations(schema()):
        yield f"{method.upper()} {path}", call


def media() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is taken or given, with where."""
    for name, call in calls():
        for kind, body in call.get("requestBody", {}).get("content", {}).items():
            yield f"{name} {kind}", body
        for code, answer in call["responses"].items():
            for kind, body in answer.get("content", {}).items():
                yield f"{name} {code} {kind}", body


@pytest.mark.django_db
def test_nobody_reads_it_without_a_login(viewer: User, client: Client) -> None:
    problem_of(Api(None).get("/api/schema/"), 401)
    page = client.get("/api/docs/")
    assert (page.status_code, page["Location"]) == (302, "/accounts/login/?next=/api/docs/")
    answer = Api(viewer).get("/api/schema/")
    assert answer.json()["openapi"].startswith("3.1.")
    again = Api(viewer).get("/api/schema/", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for kind in ("application/json", "application/vnd.oai.openapi+json", "*/*"):
        assert Api(viewer).get("/api/schema/", headers={"Accept": kind}).status_code == 200


def test_every_body_has_an_example_that_fits_its_shape() -> None:
    wrong = []
    for where, body in media():
        given = [body["example"]] if "example" in body else [_value(one) for one in body.get("examples", {}).values()]
        if not given:
            wrong.append(f"{where}: none")
        for one in given:
            check = Draft202012Validator({**body["schema"], "components": schema()["components"]})
            wrong += [f"{where}: {error.message[:100]}" for error in check.iter_errors(one)]
    assert not wrong, "\n".join(wrong[:20])


def _value(example: dict[str, Any]) -> Any:
    name = example.get("$ref", "").rsplit("/", 1)[-1]
    return schema()["components"]["examples"][name]["value"] if name else example["value"]


def test_every_group_is_described_and_every_call_says_what_it_does() -> None:
    assert [tag["name"] for tag in schema()["tags"] if not tag["description"]] == []
    assert [name for name, call in calls() if not call.get("summary") or not call.get("description")] == []
    ids = [call["operationId"] for _name, call in calls()]
    assert len(ids) == len(set(ids))


def test_every_call_names_its_login_its_refusals_and_its_rate() -> None:
    for name, call in calls():
        assert call["security"], name
        assert {"401", "429"} <= set(call["responses"]) or "ingest" in call["tags"], name
        if any("token" in one for one in call["security"]):
            for code, answer in call["responses"].items():
                assert code == "401" or "RateLimit-Remaining" in answer["headers"], (name, code)
            assert "Retry-After" in call["responses"]["429"]["headers"], name


def test_every_problem_is_a_problem() -> None:
    for name, call in calls():
        for code, answer in call["responses"].items():
            if code >= "400" and "ingest" not in call["tags"]:
                assert set(answer["content"]) == {"application/problem+json"}, (name, code)


def test_every_address_of_the_api_is_in_it() -> None:
    from cases.api import urls as cases
    from playbooks.api import urls as playbooks

    routes = [f"/api/v1/{one.pattern}" for one in (*cases.V1, *playbooks.V1)]
    written = {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) for route in routes}
    assert written <= set(schema()["paths"])


@pytest.mark.parametrize("method", PROMISED)
def test_what_was_promised_is_there(method: str) -> None:
    there = {re.sub(r"\{\w+\}", "{}", name) for name, _call in calls()}
    assert {f"{method} /api/v1/{one}/" for one in PROMISED[method].split()} <= there


def test_every_list_pages_and_takes_fields() -> None:
    for name, call in calls():
        good = call["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        shape = schema()["components"]["schemas"].get(good.get("$ref", "").rsplit("/", 1)[-1], {})
        if name.startswith("GET") and "results" in shape.get("properties", {}):
            assert {"next", "previous"} <= set(shape["properties"]), name
            assert "fields" in {one["name"] for one in call["parameters"]}, name


@pytest.mark.django_db
def test_the_page_shows_a_group_a_search_and_how_it_works(viewer: User) -> None:
    client = client_of(viewer)
    start = client.get("/api/docs/").content.decode()
    assert "How it works" in start and "Idempotency-Key" in start
    group = client.get("/api/docs/", {"tag": "alerts"}).content.decode()
    assert "/api/v1/alerts/{id}/claim/" in group and "/api/v1/scripts/" not in group
    assert "curl -X POST" in group and "ALR-1042/claim/" in group
    found = client.get("/api/docs/", {"q": "alerts claim makes you owner"}).content.decode()
    assert "1 call found" in found
    nothing = client.get("/api/docs/", {"q": "<b>zzz</b>"}).content.decode()
    assert "No call has these words" in nothing and "<b>zzz</b>" not in nothing
    assert client.get("/api/docs/", {"tag": "no such"}).status_code == 200
    assert client.post("/api/docs/").status_code == 405
