"""Exceptions, the own list, warning lists, feeds and their tokens over the API (connectors.md 4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.connectors.models import ExceptionEntry, FeedImport, FeedToken, OwnListEntry, WarningList
from tests.api import Api, problem_of, wrong_fields

pytestmark = pytest.mark.django_db
ENTRY = {"type": "domain", "value": "intra.example", "reason": "Ours"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/exceptions/", ENTRY),
        ("/own-list/", {**ENTRY, "effect": "benign"}),
        ("/feed-tokens/", {"type": "domain", "name": "Firewall"}),
        ("/feeds/1/bring/", None),
    ],
)
def test_changing_needs_its_right(analyst: User, nobody: User, path: str, body: Any) -> None:
    problem_of(Api(analyst).post(path, body), 403)
    problem_of(Api(nobody).get("/exceptions/"), 403)
    assert not ExceptionEntry.objects.exists() and not OwnListEntry.objects.exists() and not FeedToken.objects.exists()


def test_a_scoped_token_does_not_change_lists(admin: User) -> None:
    problem_of(Api(admin, scopes=("view_cases",)).post("/exceptions/", ENTRY), 403)
    problem_of(Api(admin, scopes=("view_cases",)).post("/feed-tokens/", {"type": "domain", "name": "F"}), 403)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"value": "not a domain"}, "value"),
        ({"type": "pigeon"}, "value"),
        ({"reason": ""}, "reason"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"until": "2030"}, "until"),
    ],
)
def test_an_entry_that_cannot_be(admin: User, change: dict[str, Any], field: str) -> None:
    assert field in wrong_fields(Api(admin).post("/exceptions/", {**ENTRY, **change}))
    assert not ExceptionEntry.objects.exists()


def test_an_exception_is_added_found_and_removed(admin: User, viewer: User) -> None:
    api = Api(admin)
    made = api.post("/exceptions/", ENTRY)
    assert (made.status_code, made.json()["value"], made.json()["added_by"]) == (201, "intra.example", "Ada Admin")
    assert wrong_fields(api.post("/exceptions/", ENTRY)) == {"value"}
    assert [row["id"] for row in Api(viewer).get("/exceptions/", q="intra").json()["results"]] == [made.json()["id"]]
    assert Api(viewer).get("/exceptions/", q="extra").json()["results"] == []
    path = f"/exceptions/{made.json()['id']}/"
    assert Api(viewer).get(path)["ETag"] == made["ETag"]
    problem_of(Api(viewer).delete(path), 403)
    problem_of(api.delete(path, headers={"If-Match": '"0-0"'}), 412)
    assert api.delete(path, headers={"If-Match": made["ETag"]}).status_code == 204
    problem_of(api.delete(path), 404)


def test_the_own_list_has_an_effect(admin: User) -> None:
    api = Api(admin)
    assert wrong_fields(api.post("/own-list/", ENTRY)) == {"effect"}
    made = api.post("/own-list/", {**ENTRY, "effect": "malicious"}).json()
    assert api.get(f"/own-list/{made['id']}/").json()["effect"] == "malicious"


def test_a_warning_list_is_switched(admin: User, viewer: User) -> None:
    row = WarningList.objects.create(name="Known resolvers", slug="resolvers", type="cidr", effect="benign")
    path = f"/warning-lists/{row.pk}/"
    tag = Api(viewer).get(path)["ETag"]
    problem_of(Api(viewer).patch(path, {"enabled": False}), 403)
    assert wrong_fields(Api(admin).patch(path, {"enabled": "no"})) == {"enabled"}
    assert Api(admin).patch(path, {"enabled": False}, headers={"If-Match": tag}).json()["enabled"] is False
    problem_of(Api(admin).patch(path, {"enabled": True}, headers={"If-Match": tag}), 412)
    problem_of(Api(admin).patch("/warning-lists/999999/", {"enabled": True}), 404)


def test_a_feed_token_is_shown_once_and_revoked(admin: User, client: Any) -> None:
    api = Api(admin)
    made = api.post("/feed-tokens/", {"type": "domain", "name": "Firewall"}).json()
    assert client.get("/feeds/blocklist/domain.txt", {"token": made["token"]}).status_code == 200
    row = api.get("/feed-tokens/").json()["results"][0]
    assert row["prefix"] == made["token"][:12] and "token" not in row
    assert api.delete(f"/feed-tokens/{made['id']}/").status_code == 204
    assert client.get("/feeds/blocklist/domain.txt", {"token": made["token"]}).status_code in (401, 403, 404)


def test_a_file_is_taken_for_a_feed(admin: User, analyst: User, settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    feed = accounts.create_account(None, "feed", "Evil", {}, {})
    path = f"/feeds/{feed.pk}/file/"

    def send(user: User, **form: Any) -> Any:
        api = Api(user)
        return api.client.post(f"/api/v1{path}", form, headers=api.headers)

    problem_of(send(analyst, file=SimpleUploadedFile("a.txt", b"evil.example")), 403)
    problem_of(Api(admin).post(path, {"file": "evil.example"}), 415)
    problem_of(send(admin), 400)
    answer = send(admin, file=SimpleUploadedFile("a.txt", b"evil.example\n"))
    assert (answer.status_code, answer.json()["importing"], answer.json()["file"]["name"]) == (202, True, "a.txt")
    problem_of(send(admin, file=SimpleUploadedFile("b.txt", b"bad.example\n")), 400)
    assert FeedImport.objects.get().name == "a.txt"
    assert [row["name"] for row in Api(analyst).get("/feeds/").json()["results"]] == ["Evil"]


def test_a_feed_without_an_address_cannot_be_brought(admin: User) -> None:
    feed = accounts.create_account(None, "feed", "Evil", {}, {})
    assert "no address" in problem_of(Api(admin).post(f"/feeds/{feed.pk}/bring/"), 400)["detail"]
    problem_of(Api(admin).post("/feeds/999/bring/"), 404)
