"""A fresh login before what matters (access.md 1): asked for, confirmed, and then done with what was typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import get_resolver

from soar.accounts.actions.users import create_token
from soar.accounts.models import AuditEntry, Team, User
from soar.connectors.models import ConnectorAccount
from tests.factories import PASSWORD, make_alert, make_incident
from tests.sign_in_tools import age, app_of, code_of, signed_in

pytestmark = pytest.mark.django_db
NEW = "/settings/tokens/new/"
FORM = {"name": "Report", "days": "30", "scopes": ["view_cases"]}


@pytest.fixture
def strict(settings: Any) -> Any:
    """A login is fresh for ten minutes. Browsers of ``client_of`` never signed in by the form: they are not fresh."""
    settings.FRESH_LOGIN_SECONDS = 600
    return settings


def confirm(client: Client, answer: Any, password: str = PASSWORD) -> Any:
    """Give the password on the page that the answer leads to."""
    where = answer["Location"]
    assert client.get(where).status_code == 200
    back = where.partition("next=")[2].replace("%2F", "/")
    return client.post("/accounts/reauthenticate/", {"password": password, "next": back})


def test_nothing_is_asked_unless_it_is_set(as_analyst: Client, analyst: User) -> None:
    assert as_analyst.post(NEW, FORM)["Location"] == "/settings/tokens/"
    assert analyst.api_tokens.count() == 1


def test_an_old_login_confirms_and_goes_on_with_what_was_typed(as_analyst: Client, analyst: User, strict: Any) -> None:
    held = as_analyst.post(NEW, FORM)
    assert held["Location"] == "/accounts/reauthenticate/?next=%2Fsettings%2Ftokens%2Fnew%2F"
    assert not analyst.api_tokens.exists()
    assert confirm(as_analyst, held)["Location"] == "/settings/tokens/"
    row = analyst.api_tokens.get()
    assert (row.name, row.scopes) == ("Report", ["view_cases"])


def test_a_wrong_password_does_nothing_and_keeps_it(as_analyst: Client, analyst: User, strict: Any) -> None:
    held = as_analyst.post(NEW, FORM)
    assert confirm(as_analyst, held, "wrong, wrong").status_code == 200
    assert not analyst.api_tokens.exists()
    assert AuditEntry.objects.filter(verb="confirm.failed").count() == 1
    confirm(as_analyst, held)
    assert analyst.api_tokens.count() == 1


def test_what_is_wrong_with_the_form_is_said_after_it(as_analyst: Client, analyst: User, strict: Any) -> None:
    held = as_analyst.post(NEW, {**FORM, "days": "x"})
    answer = confirm(as_analyst, held)
    assert answer.status_code == 422
    assert 'value="Report"' in answer.content.decode()
    assert not analyst.api_tokens.exists()


def test_a_dialog_is_answered_by_a_whole_page(as_analyst: Client, analyst: User, strict: Any) -> None:
    row, _token = create_token(analyst, "Report", actor=analyst)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/settings/tokens/", "HX-Target": "dialog"}
    held = as_analyst.post(f"/settings/tokens/{row.pk}/revoke/", headers=headers)
    assert held.status_code == 204
    where = held["HX-Redirect"]
    done = as_analyst.post(
        where.partition("?")[0], {"password": PASSWORD, "next": f"/settings/tokens/{row.pk}/revoke/"}
    )
    assert (done.status_code, done["Location"]) == (302, "/settings/tokens/")
    row.refresh_from_db()
    assert row.revoked_at is not None


def test_a_login_of_just_now_is_fresh_enough(analyst: User, strict: Any) -> None:
    client = signed_in(analyst)
    assert client.post(NEW, FORM)["Location"] == "/settings/tokens/"


def test_it_gets_old(analyst: User, strict: Any) -> None:
    client = signed_in(analyst)
    age(client, 601)
    assert client.post(NEW, FORM)["Location"].startswith("/accounts/reauthenticate/")


def test_a_code_confirms_too(as_analyst: Client, analyst: User, strict: Any) -> None:
    key = app_of(analyst)
    as_analyst.post(NEW, FORM)
    page = as_analyst.get("/accounts/reauthenticate/").content.decode()
    assert "/accounts/2fa/reauthenticate/" in page
    assert as_analyst.post("/accounts/2fa/reauthenticate/", {"code": "000000", "next": NEW}).status_code == 200
    done = as_analyst.post("/accounts/2fa/reauthenticate/", {"code": code_of(key), "next": NEW})
    assert done["Location"] == "/settings/tokens/"
    assert analyst.api_tokens.count() == 1


def test_it_never_leads_to_another_site(as_analyst: Client, strict: Any) -> None:
    as_analyst.post(NEW, FORM)
    form = {"password": PASSWORD, "next": "https://evil.example/"}
    assert as_analyst.post("/accounts/reauthenticate/", form)["Location"] == "/"


def test_secrets_that_wait_are_encrypted(as_admin: Client, strict: Any) -> None:
    from django.contrib.sessions.models import Session

    as_admin.post("/connectors/new/webhook/", {"name": "Hook", "secret_token": "hushhushhush"})
    kept = Session.objects.get()
    assert "hushhush" in str(kept.get_decoded())
    assert "hush" not in kept.session_data
    assert not ConnectorAccount.objects.exists()


def test_a_form_with_a_file_asks_before_the_file_is_chosen(as_admin: Client, strict: Any) -> None:
    assert as_admin.get("/settings/scripts/")["Location"].startswith("/accounts/reauthenticate/?next=%2Fsettings")
    script = SimpleUploadedFile("a.sh", b"echo")
    held = as_admin.post("/settings/scripts/", {"name": "a", "file": script})
    assert held["Location"].startswith("/accounts/reauthenticate/")


def test_the_api_by_session_says_why_and_tokens_go_on(as_analyst: Client, analyst: User, strict: Any) -> None:
    answer = as_analyst.post("/api/v1/tokens/", {"name": "x"}, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "fresh_login_needed"
    assert as_analyst.get("/api/v1/tokens/").status_code == 200, "reading asks for nothing"
    _row, token = create_token(analyst, "Report", actor=analyst)
    headers = {"Authorization": f"Bearer {token}"}
    made = Client().post("/api/v1/tokens/", {"name": "x"}, content_type="application/json", headers=headers)
    assert made.json().get("code") != "fresh_login_needed"


def test_an_address_is_changed_after_a_confirmation_whatever_is_set(as_analyst: Client, analyst: User) -> None:
    form = {"first_name": "Mara", "last_name": "L", "theme": "dark", "time_zone": "Europe/Oslo", "email": "a@b.example"}
    held = as_analyst.post("/settings/profile/", form)
    assert held["Location"].startswith("/accounts/reauthenticate/")
    assert confirm(as_analyst, held).status_code == 302
    analyst.refresh_from_db()
    assert (analyst.email, analyst.last_name) == ("a@b.example", "L")
    assert AuditEntry.objects.get(verb="user.email_changed").data == {"before": "", "after": "a@b.example"}


def test_every_name_in_the_settings_is_a_page(settings: Any) -> None:
    """A name that is misspelt would protect nothing."""
    names = set(get_resolver().reverse_dict)
    asked = settings.FRESH_LOGIN_POSTS | settings.FRESH_LOGIN_FORMS | settings.FRESH_LOGIN_CALLS
    asked = asked | set(settings.FRESH_LOGIN_BODIES)
    assert asked <= names


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/alerts/bulk/", {"ids": [1], "action": "run", "playbook": "x"}),
        ("POST", "/playbooks/", {"name": "x", "enabled": True}),
        ("PATCH", "/incidents/INC-1/", {"restricted": True}),
        ("POST", "/runs/1/retry/", {}),
        ("POST", "/response-tasks/1/resend/", {}),
        ("POST", "/timeline/1/let-in/", {"user": "mara"}),
        ("PATCH", "/incidents/INC-1/", None),
    ],
)
def test_the_other_doors_of_the_api_ask_too(
    as_admin: Client, strict: Any, method: str, path: str, body: dict[str, Any] | None
) -> None:
    raw = b"\xff\xfe{" if body is None else json.dumps(body).encode()
    answer = as_admin.generic(method, f"/api/v1{path}", raw, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (403, "fresh_login_needed")


def test_the_same_calls_ask_nothing_of_what_is_harmless(as_analyst: Client, blue: Team, strict: Any) -> None:
    incident, alert = make_incident("Case", team=blue), make_alert(team=blue)
    json_of: Any = {"content_type": "application/json"}
    changed = as_analyst.patch(f"/api/v1/incidents/{incident.number}/", {"title": "Other"}, **json_of)
    assert changed.status_code == 200
    body = {"ids": [alert.pk], "action": "claim"}
    assert as_analyst.post("/api/v1/alerts/bulk/", body, **json_of).json().get("code") != "fresh_login_needed"


@pytest.mark.parametrize("path", ["/runs/1/retry/", "/responses/1/resend/", "/incidents/INC-1/let-in/"])
def test_the_other_doors_of_the_pages_ask_too(as_admin: Client, strict: Any, path: str) -> None:
    assert as_admin.post(path)["Location"].startswith("/accounts/reauthenticate/")


def test_a_playbook_on_ticked_alerts_asks_and_other_verbs_do_not(as_analyst: Client, blue: Team, strict: Any) -> None:
    form = {"alert": [str(make_alert(team=blue).pk)], "all": "1", "playbook": "x"}
    held = as_analyst.post("/alerts/bulk/", {**form, "action": "run"})
    assert held["Location"].startswith("/accounts/reauthenticate/")
    assert "reauthenticate" not in as_analyst.post("/alerts/bulk/", {**form, "action": "claim"}).get("Location", "")
