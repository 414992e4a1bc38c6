"""Whatever is sent, the answer is JSON and never a 500; nothing half saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.models import Alert, AlertSource, Incident, TimelineEntry
from soar.accounts import throttling
from soar.accounts.models import User
from soar.lib.shared_rate import SharedRateLimiter
from tests.api import Api, problem_of
from tests.factories import PASSWORD, make_alert, make_incident, make_source

ADDRESSES = (
    "/alerts/", "/alerts/{alert}/claim/", "/alerts/{alert}/assign/", "/alerts/{alert}/resolve/",
    "/alerts/{alert}/reopen/", "/alerts/{alert}/comment/", "/alerts/{alert}/escalate/", "/alerts/{alert}/link/",
    "/alerts/{alert}/unlink/", "/alerts/bulk/", "/incidents/", "/incidents/{incident}/assign/",
    "/incidents/{incident}/comment/", "/incidents/{incident}/status/", "/incidents/{incident}/owners/",
    "/incidents/{incident}/link/", "/incidents/{incident}/unlink/", "/incidents/{incident}/observables/",
    "/incidents/suggestions/x/accept/", "/incidents/suggestions/x/dismiss/", "/tokens/",
)  # fmt: skip
NAMES = (
    "title", "description", "severity", "status", "determination", "findings", "owner", "owners", "team", "tags",
    "tlp", "pap", "reason", "text", "kind", "incident", "alerts", "move", "add", "remove", "lead", "type", "value",
    "name", "scopes", "days", "summary", "techniques", "observables", "source_ip", "resolve_alerts", "ids", "filter",
    "action",
)  # fmt: skip
BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "NaN": b'{"title": NaN}',
    "endless": b'{"title": 1e999}',
    "deep": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep but short": b'{"title": ' + b"[" * 100 + b"]" * 100 + b"}",
    "huge number": b'{"title": ' + b"9" * 5000 + b"}",
    "NUL": b'{"title": "a\\u0000b"}',
    "NUL in a name": b'{"ti\\u0000tle": "a"}',
    "surrogate": b'{"title": "\\ud83d"}',
    "Latin-1": b'{"title": "caf\xe9"}',
    "number for a text": b'{"title": 5}',
    "list for a text": b'{"title": ["x"]}',
    "null for a text": b'{"title": null}',
    "blank": b'{"title": "  "}',
    "over-long": b'{"title": "' + b"x" * 501 + b'"}',
    "unknown field": b'{"title": "x", "tilte": "y"}',
    "wrong word": b'{"title": "x", "severity": 3}',
    "tags as text": b'{"title": "x", "tags": "a,b"}',
}


@pytest.fixture(autouse=True)
def _no_limit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Here more calls are made in a second than a token may."""
    monkeypatch.setattr(throttling, "_limiter", SharedRateLimiter(lambda: tmp_path / "rates", lambda: 1_000_000))


@pytest.mark.parametrize("sort", BODIES)
def test_a_body_that_cannot_be_is_400(analyst: User, sort: str) -> None:
    problem_of(Api(analyst).post("/alerts/", BODIES[sort]), 400)
    assert not Alert.objects.exists()


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**18, max_value=10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["resolved", "benign", "unknown", "high", "mara", "Blue", "ip", "203.0.113.7", "ALR-1", "INC-1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_body_makes_a_500(analyst: User, address: str) -> None:
    alert, incident, api = make_alert(), make_incident(), Api(analyst)
    path = address.format(alert=alert.pk, incident=incident.pk)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=st.dictionaries(st.sampled_from(NAMES), json_values, max_size=4) | json_values)
    def check(body: Any) -> None:
        answer = api.post(path, body)
        assert answer.status_code < 500, answer.content
        if answer.status_code >= 400:
            problem_of(answer, answer.status_code)

    check()


@pytest.mark.parametrize("model", ["alerts", "incidents"])
def test_no_patch_makes_a_500(analyst: User, model: str) -> None:
    pk, api = {"alerts": make_alert().pk, "incidents": make_incident().pk}[model], Api(analyst)

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(body=st.dictionaries(st.sampled_from(NAMES), json_values, max_size=4))
    def check(body: Any) -> None:
        answer = api.patch(f"/{model}/{pk}/", body)
        assert answer.status_code < 500, answer.content

    check()


@pytest.mark.parametrize("address", ["/alerts/", "/incidents/", "/observables/", "/users/", "/tokens/"])
def test_no_query_makes_a_500(analyst: User, address: str) -> None:
    make_alert(observables=(("ip", "203.0.113.7"),))
    make_incident()
    api = Api(analyst)
    names = [*NAMES, "q", "cursor", "page_size", "ordering", "updated_since", "since", "expand", "risk", "observable"]

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(st.sampled_from(names), st.text(max_size=30) | st.integers().map(str), max_size=3))
    def check(params: dict[str, str]) -> None:
        answer = api.get(address, **params)
        assert answer.status_code in (200, 400), answer.content

    check()


def test_a_forged_cursor_is_refused(analyst: User) -> None:
    import base64

    make_alert()
    api = Api(analyst)
    moment = '"2026-01-01T00:00:00+00:00"'
    for order, inner in (
        ("-id", moment), ("-id", "1e5"), ("-id", "null"), ("-id", str(2**63)), ("-id", '"x"'), ("-id", "[1]"),
        ("updated_at", f"{moment},{moment}"), ("updated_at", "1,1"), ("updated_at", '"2026-01-01T00:00:00",1'),
    ):  # fmt: skip
        cursor = base64.urlsafe_b64encode(f'["{order}",0,{inner}]'.encode()).decode()
        problem_of(api.get("/alerts/", ordering=order, cursor=cursor), 400)


def test_only_json_is_taken_and_given(analyst: User) -> None:
    api = Api(analyst)
    form = api.client.post("/api/v1/alerts/", {"title": "x"}, headers=api.headers)
    problem_of(form, 415)
    problem_of(api.get("/alerts/", headers={"Accept": "text/html"}), 406)
    huge = b'{"title": "' + b"x" * (11 * 1024 * 1024) + b'"}'
    problem_of(api.post("/alerts/", huge), 413)
    assert not Alert.objects.exists()


@pytest.mark.parametrize("path", ["/nothing/", "/alerts/1/merge/", "/alerts/1/timeline/x/", "/api/v2/", "/approve/"])
def test_an_unknown_address_is_404(analyst: User, path: str) -> None:
    problem_of(Api(analyst).get(path), 404)


def test_a_wrong_revoked_or_disabled_token_is_401(analyst: User) -> None:
    api = Api(analyst)
    assert api.get("/me/").status_code == 200
    for value in ("Bearer wrong", "Bearer ", "Bearer \xff", "Token x", "Basic eDp5"):
        answer = api.get("/alerts/", headers={"Authorization": value})
        problem_of(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer")
    analyst.api_tokens.update(expires_at="2020-01-01T00:00:00Z")
    problem_of(api.get("/me/"), 401)
    analyst.api_tokens.update(expires_at=None)
    User.objects.update(is_active=False)
    problem_of(api.get("/me/"), 401)


def test_a_session_may_read_and_needs_the_csrf_token_to_change(analyst: User) -> None:
    alert = make_alert()
    client = Client(enforce_csrf_checks=True)
    assert client.login(username="mara", password=PASSWORD)
    assert client.get("/api/v1/me/").json()["username"] == "mara"
    path = f"/api/v1/alerts/{alert.pk}/claim/"
    problem_of(client.post(path, content_type="application/json"), 403)
    client.get("/alerts/")
    token = "a" * 32
    client.cookies["csrftoken"] = token
    answer = client.post(path, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.json()["owner"] == "mara"


def test_a_scoped_token_may_do_only_what_its_scopes_say(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst, scopes=("view_cases",))
    assert api.get(f"/alerts/{alert.pk}/").status_code == 200
    problem_of(api.post(f"/alerts/{alert.pk}/claim/"), 403)


@pytest.mark.parametrize(
    "path",
    ["/alerts/", "/alerts/{alert}/", "/alerts/999999/", "/incidents/", "/incidents/{incident}/", "/observables/",
     "/assets/", "/evidence/", "/tasks/", "/timeline/1/", "/incidents/suggestions/", "/runs/", "/approvals/",
     "/response-tasks/", "/servicenow/links/", "/servicenow/conflicts/", "/servicenow/failures/", "/jobs/", "/stats/",
     "/playbooks/"],
)  # fmt: skip
def test_a_token_without_the_scope_hears_so_of_whatever_there_is(admin: User, path: str) -> None:
    """Neither an empty list, which looks like success, nor that something is not there."""
    alert, incident = make_alert(), make_incident()
    api = Api(admin, scopes=("view_audit",))
    refused = problem_of(api.get(path.format(alert=alert.pk, incident=incident.pk)), 403)
    assert "permission" in refused["detail"]


def test_a_key_that_would_not_be_kept_is_refused(admin: User) -> None:
    """Else a call that is repeated would seem to be safe and make a second secret."""
    api, source, key = Api(admin), make_source(), {"Idempotency-Key": "k"}
    for path, body in (
        ("/sources/", {"name": "Sensor", "kind": "generic"}),
        (f"/sources/{source.slug}/tokens/", {}),
        ("/users/", {"username": "kei"}),
        ("/feed-tokens/", {"type": "domain", "name": "Wall"}),
        ("/webhook-endpoints/", {"name": "Lake", "url": "https://lake.example/", "kinds": ["all"]}),
    ):
        refused = problem_of(api.post(path, body, key), 400)
        assert [error["field"] for error in refused["errors"]] == ["Idempotency-Key"], path
    assert AlertSource.objects.count() == 1 and not User.objects.filter(username="kei").exists()


def test_too_many_calls_are_429(analyst: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(throttling, "_limiter", SharedRateLimiter(lambda: tmp_path / "few", lambda: 0.01))
    api = Api(analyst)
    first, second = api.get("/me/"), api.get("/me/")
    assert (first.status_code, first["RateLimit-Limit"], first["RateLimit-Remaining"]) == (200, "1", "0")
    problem_of(second, 429)
    assert int(second["Retry-After"]) > 60
    assert second["RateLimit-Remaining"] == "0" and int(second["RateLimit-Reset"]) > 60
    assert Api(analyst).get("/me/").status_code == 200  # another token


def test_a_refused_change_leaves_no_trace(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst)
    before = json.dumps(api.get(f"/alerts/{alert.pk}/").json()), TimelineEntry.objects.count(), Incident.objects.count()
    for path, body in (
        ("escalate", {"owners": ["ghost"]}),
        ("assign", {"owner": "mara", "team": "Nowhere"}),
        ("link", {"incident": "INC-77777"}),
        ("resolve", {"determination": "benign", "findings": "noteworthy"}),
    ):
        assert api.post(f"/alerts/{alert.pk}/{path}/", body).status_code in (400, 404)
    after = json.dumps(api.get(f"/alerts/{alert.pk}/").json()), TimelineEntry.objects.count(), Incident.objects.count()
    assert after == before
