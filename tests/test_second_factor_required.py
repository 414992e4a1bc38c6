"""Roles that ask for a second factor: who lacks one can do nothing but set it up; admins help the forgetful."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client

from soar.accounts.actions.factors import require_second_factor, reset_factors
from soar.accounts.actions.users import create_token
from soar.accounts.models import AuditEntry, LoginSession, Role, User
from tests.api import Api, problem_of
from tests.factories import make_alert
from tests.sign_in_tools import app_of, code_of, code_step, codes_of, factors, is_in, password_step, signed_in

pytestmark = pytest.mark.django_db


def ask_of(role: str, required: bool = True) -> bool:
    """Ask everybody of the role for a second factor."""
    return require_second_factor(None, Role.objects.get(group__name=role), required)


PAGES = ["/", "/alerts/", "/settings/", "/settings/tokens/", "/settings/sessions/", "/nav/counts/"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_leads_to_setting_up(as_analyst: Client, path: str) -> None:
    assert ask_of("Analyst")
    answer = as_analyst.get(path)
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/")
    page = as_analyst.get("/accounts/2fa/").content.decode()
    assert "Set up a second factor" in page
    assert "/accounts/2fa/app/activate/" in page


def test_htmx_is_led_there_as_a_whole_page(as_analyst: Client) -> None:
    ask_of("Analyst")
    answer = as_analyst.get("/alerts/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (204, "/accounts/2fa/")


def test_nothing_is_changed_and_no_token_made(as_analyst: Client, analyst: User) -> None:
    alert = make_alert()
    ask_of("Analyst")
    assert as_analyst.post(f"/alerts/{alert.number}/claim/")["Location"] == "/accounts/2fa/"
    assert as_analyst.post("/settings/tokens/new/", {"name": "x", "days": "30"})["Location"] == "/accounts/2fa/"
    alert.refresh_from_db()
    assert alert.owner is None
    assert not analyst.api_tokens.exists()


def test_the_api_by_session_says_why(as_analyst: Client) -> None:
    ask_of("Analyst")
    answer = as_analyst.get("/api/v1/alerts/")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert answer.json()["code"] == "second_factor_needed"


def test_tokens_go_on(analyst: User) -> None:
    _row, token = create_token(analyst, "Report", actor=analyst)
    ask_of("Analyst")
    assert Client().get("/api/v1/alerts/", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_other_roles_are_not_asked(as_viewer: Client) -> None:
    ask_of("Analyst")
    assert as_viewer.get("/alerts/").status_code == 200


def test_whoever_has_one_goes_on(analyst: User) -> None:
    ask_of("Analyst")
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst)
    code_step(client, code_of(key))
    assert client.get("/alerts/").status_code == 200


def test_recovery_codes_alone_are_none(as_analyst: Client, analyst: User) -> None:
    codes_of(analyst)
    ask_of("Analyst")
    assert as_analyst.get("/alerts/").status_code == 302


def test_setting_it_up_opens_the_portal(analyst: User) -> None:
    client = signed_in(analyst)
    ask_of("Analyst")
    page = client.get("/accounts/2fa/app/activate/").content.decode()
    key = page.partition('id="secret" value="')[2].partition('"')[0]
    client.post("/accounts/2fa/app/activate/", {"code": code_of(key)})
    assert client.get("/accounts/2fa/codes/").status_code == 200
    assert client.get("/alerts/").status_code == 200


def test_logging_out_is_possible(as_analyst: Client) -> None:
    ask_of("Analyst")
    assert as_analyst.post("/accounts/logout/")["Location"] == "/accounts/login/"


def test_it_can_be_asked_no_longer(as_analyst: Client) -> None:
    assert ask_of("Analyst")
    assert not ask_of("Analyst"), "twice changes nothing"
    assert ask_of("Analyst", required=False)
    assert as_analyst.get("/alerts/").status_code == 200
    assert [row.data["required"] for row in AuditEntry.objects.filter(verb="role.second_factor").order_by("pk")] == [
        True, False,
    ]  # fmt: skip


def test_only_who_manages_people_may(analyst: User, viewer: User) -> None:
    app_of(viewer)
    with pytest.raises(PermissionDenied):
        require_second_factor(analyst, Role.objects.get(group__name="Viewer"), True)
    with pytest.raises(PermissionDenied):
        reset_factors(analyst, viewer)
    assert factors(viewer) == ["totp"]


def test_a_lost_device_is_reset_and_all_sessions_end(admin: User, analyst: User) -> None:
    client = signed_in(analyst)
    app_of(analyst)
    codes_of(analyst)
    assert reset_factors(admin, analyst) == ["recovery_codes", "totp"]
    assert factors(analyst) == []
    assert not is_in(client)
    assert not LoginSession.objects.filter(user=analyst).exists()
    row = AuditEntry.objects.get(verb="factor.reset")
    assert (row.actor_id, row.target, row.data) == (admin.pk, "mara", {"kinds": ["recovery_codes", "totp"]})
    assert is_in(signed_in(analyst))


def test_the_command_resets_factors(analyst: User) -> None:
    app_of(analyst)
    out = StringIO()
    call_command("user", "reset-factors", "mara", stdout=out)
    assert json.loads(out.getvalue()) == {"username": "mara", "removed": ["totp"]}
    assert factors(analyst) == []
    with pytest.raises(CommandError, match="no person called"):
        call_command("user", "reset-factors", "nobody-here")


def test_the_command_ends_sessions(analyst: User) -> None:
    client = signed_in(analyst)
    out = StringIO()
    call_command("user", "end-sessions", "mara", stdout=out)
    assert json.loads(out.getvalue()) == {"username": "mara", "ended": 1}
    assert not is_in(client)


def test_admins_ask_it_of_a_role_in_the_browser(as_admin: Client, as_viewer: Client, as_analyst: Client) -> None:
    role = Role.objects.get(group__name="Analyst")
    path = f"/people/roles/{role.pk}/second-factor/"
    assert as_viewer.post(path, {"required": "1"}).status_code in (403, 404)
    assert as_analyst.get("/alerts/").status_code == 200
    assert as_admin.post(path, {"required": "1"})["Location"] == f"/people/roles/{role.pk}/"
    assert "Asked of everybody" in as_admin.get(f"/people/roles/{role.pk}/").content.decode()
    assert as_analyst.get("/alerts/")["Location"] == "/accounts/2fa/"
    as_admin.post(path)
    assert as_analyst.get("/alerts/").status_code == 200
    verbs = AuditEntry.objects.filter(verb="role.second_factor").order_by("pk")
    assert [row.data["required"] for row in verbs] == [True, False]


def test_programs_ask_it_of_a_role(admin: User, viewer: User) -> None:
    role = Role.objects.get(group__name="Analyst")
    path = f"/roles/{role.pk}/"
    problem_of(Api(viewer).patch(path, {"second_factor": True}), 403)
    assert Api(admin).patch(path, {"second_factor": True}).json()["second_factor"] is True
    problem_of(Api(admin).patch(path, {"second_factor": False, "permissions": []}), 409)
    assert Api(admin).get(path).json()["second_factor"] is True
    made = Api(admin).post("/roles/", {"name": "Night", "permissions": ["view_cases"], "second_factor": True})
    assert made.json()["second_factor"] is True
