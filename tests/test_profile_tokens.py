"""One's own settings: the way there, profile, API tokens shown once (ingest-and-api.md 13)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from soar.accounts.actions.users import create_token
from soar.accounts.authentication import find
from soar.accounts.models import ApiToken, AuditEntry, User

pytestmark = pytest.mark.django_db
PROFILE = {"first_name": "Mara", "last_name": "L", "theme": "dark", "time_zone": "Europe/Oslo", "shortcuts": "on"}


def token_in(text: str) -> str:
    """The token that the page shows."""
    return text.partition('id="new-token">')[2].partition("<")[0]


@pytest.mark.parametrize("path", ["", "profile/", "tokens/"])
def test_signed_out_people_go_to_the_login(client: Client, path: str) -> None:
    assert client.get(f"/settings/{path}").status_code == 302


def test_home_leads_where_one_may_go(as_viewer: Client, as_admin: Client) -> None:
    viewer, admin = as_viewer.get("/settings/").content.decode(), as_admin.get("/settings/").content.decode()
    for url in ("/settings/profile/", "/settings/tokens/"):
        assert f'href="{url}"' in viewer
    assert '<a class="ink" href="/sources/"' not in viewer
    assert '<a class="ink" href="/admin/"' not in viewer
    assert '<a class="ink" href="/sources/"' in admin
    assert '<a class="ink" href="/admin/"' in admin


def test_profile_is_saved_and_used(as_viewer: Client, viewer: User) -> None:
    assert as_viewer.get("/settings/profile/").status_code == 200
    assert as_viewer.post("/settings/profile/", PROFILE).status_code == 302
    viewer.refresh_from_db()
    assert (viewer.theme, viewer.time_zone, viewer.display_name(), viewer.shortcuts) == (
        "dark", "Europe/Oslo", "Mara L", True,
    )  # fmt: skip
    assert 'data-bs-theme="dark"' in as_viewer.get("/settings/").content.decode()
    as_viewer.post("/settings/profile/", {k: v for k, v in PROFILE.items() if k != "shortcuts"})
    assert 'data-shortcuts="off"' in as_viewer.get("/settings/").content.decode()


@pytest.mark.parametrize(
    ("field", "value"), [("time_zone", "Mars/Olympus"), ("time_zone", ""), ("theme", "pink"), ("first_name", "x" * 151)]
)
def test_a_wrong_profile_is_said_beside_its_field(as_viewer: Client, viewer: User, field: str, value: str) -> None:
    answer = as_viewer.post("/settings/profile/", {**PROFILE, field: value})
    assert answer.status_code == 422
    assert f'id="id_{field}-error"' in answer.content.decode()
    viewer.refresh_from_db()
    assert viewer.last_name == "Adeyemi"


def test_nobody_gets_more_rights_by_the_profile(as_viewer: Client, viewer: User) -> None:
    as_viewer.post("/settings/profile/", {**PROFILE, "is_superuser": "on", "is_staff": "on", "username": "root"})
    viewer.refresh_from_db()
    assert (viewer.is_superuser, viewer.is_staff, viewer.username) == (False, False, "jonas")


def test_a_token_is_shown_once_and_works(as_analyst: Client, analyst: User) -> None:
    sent = {"name": "Report", "days": "30", "scopes": ["view_cases"]}
    made = as_analyst.post("/settings/tokens/new/", sent)
    assert (made.status_code, made["Location"]) == (302, "/settings/tokens/"), "a reload makes no second one"
    kept = Session.objects.get().get_decoded()
    answer = as_analyst.get("/settings/tokens/")
    token = token_in(answer.content.decode())
    row = ApiToken.objects.get()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert token not in str(kept), "not even for the moment in between"
    assert find(token) == row
    assert (row.user, row.scopes) == (analyst, ["view_cases"])
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    page = as_analyst.get("/settings/tokens/").content.decode()
    assert token not in page
    assert row.prefix in page
    api = Client().get("/api/v1/alerts/", headers={"Authorization": f"Bearer {token}"})
    assert api.status_code == 200
    assert AuditEntry.objects.filter(verb="token.created").count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"days": "1000000"}, "days"),
        ({"days": "x"}, "days"),
        ({"scopes": ["fly"]}, "scopes"),
        ({"scopes": ["manage_people"]}, "scopes"),
    ],
)
def test_a_token_that_cannot_be(as_analyst: Client, fields: dict[str, object], field: str) -> None:
    answer = as_analyst.post("/settings/tokens/new/", {"name": "Report", "days": "30", **fields})
    assert answer.status_code == 422
    assert f'id="id_{field}-error"' in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_revoke_ones_own_only(as_analyst: Client, as_viewer: Client, analyst: User) -> None:
    row, token = create_token(analyst, "Report", actor=analyst)
    assert as_viewer.post(f"/settings/tokens/{row.pk}/revoke/").status_code == 404
    assert as_viewer.get(f"/settings/tokens/{row.pk}/revoke/").status_code == 404
    for headers in ({}, {"HX-Request": "true"}):
        asked = as_analyst.get(f"/settings/tokens/{row.pk}/revoke/", headers=headers).content.decode()
        assert "Revoke Report?" in asked
        assert ("<html" in asked) is not bool(headers)
    assert find(token) is not None
    for _ in range(2):
        assert as_analyst.post(f"/settings/tokens/{row.pk}/revoke/").status_code == 302
    assert find(token) is None
    assert AuditEntry.objects.filter(verb="token.revoked").count() == 1
    assert "Revoked" in as_analyst.get("/settings/tokens/").content.decode()


def test_tokens_of_others_are_not_listed(as_viewer: Client, analyst: User) -> None:
    create_token(analyst, "Secret project", actor=analyst)
    assert "Secret project" not in as_viewer.get("/settings/tokens/").content.decode()


def test_names_are_escaped(as_analyst: Client, analyst: User) -> None:
    create_token(analyst, "<script>1", actor=analyst)
    assert "<script>1" not in as_analyst.get("/settings/tokens/").content.decode()
