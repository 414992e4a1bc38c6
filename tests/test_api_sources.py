"""``/api/v1/sources/``: made, changed and tried by those who manage sources (ingest-and-api.md 1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.models import Alert, AlertSource, SourceToken
from soar.accounts.models import AuditEntry, User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_source

pytestmark = pytest.mark.django_db
CALLS: list[tuple[str, str, Any]] = [
    ("GET", "/sources/", None),
    ("POST", "/sources/", {"name": "Mail", "kind": "generic"}),
    ("GET", "/sources/edr/", None),
    ("PATCH", "/sources/edr/", {"name": "EDR 2"}),
    ("POST", "/sources/edr/enable/", None),
    ("POST", "/sources/edr/disable/", None),
    ("POST", "/sources/edr/push/", None),
    ("GET", "/sources/edr/tokens/", None),
    ("POST", "/sources/edr/tokens/", {}),
    ("POST", "/sources/edr/sample/", {"payload": "{}"}),
    ("POST", "/sources/edr/key-preview/", {"key_fields": []}),
    ("GET", "/sources/edr/samples/", None),
    ("POST", "/sources/edr/samples/", {"name": "One", "payload": "{}"}),
    ("GET", "/sources/edr/mapping/versions/", None),
    ("POST", "/sources/edr/mapping/restore/", {"version": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_those_who_do_not_manage_sources_are_refused(analyst: User, method: str, path: str, body: Any) -> None:
    make_source("EDR", slug="edr")
    problem_of(Api(analyst).call(method, path, body), 403)
    problem_of(Api(None).call(method, path, body), 401)
    assert list(AlertSource.objects.values_list("name", "enabled")) == [("EDR", True)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "generic"}, "name"),
        ({"name": "Mail", "kind": "pigeon"}, "kind"),
        ({"name": "edr", "kind": "generic"}, "name"),
        ({"name": "Mail", "kind": "generic", "allowed_networks": ["nowhere"]}, "allowed_networks"),
        ({"name": "Mail", "kind": "generic", "team": "Nobody's"}, "team"),
        ({"name": "Mail", "kind": "generic", "resolved_determination": "unknown"}, "resolved_determination"),
        ({"name": "Mail", "kind": "generic", "hmac": "x"}, "hmac"),
    ],
)
def test_a_source_that_cannot_be_is_not_made(admin: User, body: dict[str, Any], field: str) -> None:
    make_source("EDR", slug="edr")
    assert field in wrong_fields(Api(admin).post("/sources/", body))
    assert AlertSource.objects.count() == 1


def test_a_source_is_made_used_changed_and_switched_off(admin: User, client: Any) -> None:
    api = Api(admin)
    made = api.post(
        "/sources/", {"name": "Mail gateway", "kind": "generic", "hmac_secret": "s3cret", "rate_per_second": 9}
    )
    assert made.status_code == 201
    body = made.json()
    assert (body["slug"], body["signed"], body["rate_per_second"]) == ("mail-gateway", True, 9)
    assert "s3cret" not in made.content.decode()
    token = body["token"]
    read = api.get("/sources/mail-gateway/")
    assert "token" not in read.json() and token not in read.content.decode()
    changed = api.patch(
        "/sources/mail-gateway/", {"hmac_secret": "", "default_severity": "high"}, headers={"If-Match": read["ETag"]}
    )
    assert (changed.status_code, changed.json()["signed"], changed.json()["default_severity"]) == (200, False, "high")
    sent = client.post(
        "/api/v1/ingest/mail-gateway/",
        json.dumps({"title": "Odd"}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert sent.status_code == 201
    assert api.post("/sources/mail-gateway/disable/").json()["enabled"] is False
    assert api.post("/sources/mail-gateway/disable/").json()["enabled"] is False
    problem_of(api.post("/sources/mail-gateway/sample/", {"payload": '{"title": "x"}'}), 409)
    assert AuditEntry.objects.filter(verb="source.disabled").count() == 1


def test_a_stale_change_is_412_and_counters_make_nothing_stale(admin: User) -> None:
    source, api = make_source("EDR", slug="edr"), Api(admin)
    tag = api.get("/sources/edr/")["ETag"]
    AlertSource.objects.filter(pk=source.pk).update(accepted=5, last_error="x")
    assert api.patch("/sources/edr/", {"name": "EDR 2"}, headers={"If-Match": tag}).status_code == 200
    problem_of(api.patch("/sources/edr/", {"name": "EDR 3"}, headers={"If-Match": tag}), 412)
    problem_of(api.post("/sources/edr/disable/", headers={"If-Match": tag}), 412)
    source.refresh_from_db()
    assert (source.name, source.enabled) == ("EDR 2", True)


def test_tokens_are_listed_replaced_and_revoked(admin: User) -> None:
    source, api = make_source("EDR", slug="edr"), Api(admin)
    assert wrong_fields(api.post("/sources/edr/tokens/", {"overlap_hours": 721})) == {"overlap_hours"}
    first = api.post("/sources/edr/tokens/", {"overlap_hours": 0}).json()["token"]
    api.post("/sources/edr/tokens/", {})
    rows = api.get("/sources/edr/tokens/").json()["results"]
    assert len(rows) == 2 and rows[1]["expires_at"] and rows[1]["prefix"] == first[:12]
    other = SourceToken.objects.create(source=make_source("Other"), prefix="x", digest=b"x")
    problem_of(api.delete(f"/sources/edr/tokens/{other.pk}/"), 404)
    assert api.delete(f"/sources/edr/tokens/{rows[0]['id']}/").status_code == 204
    assert source.tokens.filter(revoked_at=None).count() == 1


def test_tokens_that_end(admin: User) -> None:
    api = Api(admin)
    made = api.post("/sources/", {"name": "EDR", "kind": "generic", "token_days": 7})
    assert made.status_code == 201 and "token_days" not in made.json()
    assert api.post("/sources/edr/tokens/", {"days": 90, "overlap_hours": 1}).status_code == 201
    assert api.post("/sources/edr/tokens/", {"days": None}).status_code == 201
    rows = api.get("/sources/edr/tokens/").json()["results"]
    assert [bool(row["expires_at"]) for row in rows] == [False, True, True]
    for days in (0, 3651, -1, "7", 1.5, 10**30):
        assert wrong_fields(api.post("/sources/edr/tokens/", {"days": days})) == {"days"}
        body = {"name": "Two", "kind": "generic", "token_days": days}
        assert wrong_fields(api.post("/sources/", body)) == {"token_days"}
    assert wrong_fields(api.call("PATCH", "/sources/edr/", {"token_days": 7})) == {"token_days"}
    assert SourceToken.objects.count() == 3 and AlertSource.objects.count() == 1


def test_a_sample_goes_the_way_of_every_delivery(admin: User) -> None:
    make_source("EDR", slug="edr")
    api = Api(admin)
    assert wrong_fields(api.post("/sources/edr/sample/", {"payload": "no JSON"})) == {"payload"}
    key = {"Idempotency-Key": "one"}
    answers = [api.post("/sources/edr/sample/", {"payload": '{"title": "Odd", "id": "7"}'}, headers=key) for _ in "12"]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["results"][0]["status"] == 201
    assert Alert.objects.get().count == 1
    preview = api.post("/sources/edr/key-preview/", {"key_fields": ["title"]}).json()
    assert (preview["read"], preview["after"], preview["all"]) == (1, 1, True)


def test_samples_and_versions_of_the_mapping(admin: User) -> None:
    make_source("EDR", slug="edr")
    api = Api(admin)
    kept = api.post("/sources/edr/samples/", {"name": "One", "payload": '{"type": "Odd"}'})
    assert kept.status_code == 201
    assert [row["name"] for row in api.get("/sources/edr/samples/").json()["results"]] == ["One"]
    for path in ("$.type", "$.kind"):
        put = {"mapping": {"fields": {"title": path}}, "anyway": True}
        assert api.call("PUT", "/sources/edr/mapping/", put).status_code == 200
    versions = api.get("/sources/edr/mapping/versions/").json()["results"]
    assert [row["version"] for row in versions] == [2, 1]
    problem_of(api.post("/sources/edr/mapping/restore/", {"version": 9}), 404)
    problem_of(api.post("/sources/edr/mapping/restore/", {"version": 1}, headers={"If-Match": '"1"'}), 412)
    back = api.post("/sources/edr/mapping/restore/", {"version": 1}).json()
    assert (back["version"], back["restored_from"], back["mapping"]) == (3, 1, versions[1]["mapping"])
    assert api.delete(f"/sources/edr/samples/{kept.json()['id']}/").status_code == 204
    problem_of(api.delete(f"/sources/edr/samples/{kept.json()['id']}/"), 404)
