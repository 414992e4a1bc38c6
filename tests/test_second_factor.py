"""Authenticator apps and recovery codes: setting up, signing in by them, taking them off (access.md 1)."""

from __future__ import annotations

import base64
import logging
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client

from soar.accounts.factors import rotate
from soar.accounts.models import AuditEntry, Role, User
from tests.factories import PASSWORD
from tests.sign_in_tools import app_of, code_of, code_step, codes_of, factors, is_in, password_step, signed_in

pytestmark = pytest.mark.django_db
ACTIVATE = "/accounts/2fa/app/activate/"


def key_on(page: str) -> str:
    """The key that the page of setting up shows."""
    found = re.search(r'id="secret" value="([A-Z2-7]+)"', page)
    assert found
    return found[1]


def test_the_password_alone_no_longer_signs_in(analyst: User) -> None:
    app_of(analyst)
    client = Client()
    assert password_step(client, analyst)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    assert client.get("/api/v1/me/").status_code in (401, 403)
    assert not AuditEntry.objects.filter(verb="login").exists()


@pytest.mark.parametrize("code", ["000000", "", "abc", "12345678901234567890", "٣٤٥٦٧٨", "\x00"])
def test_a_wrong_code_is_refused(analyst: User, code: str) -> None:
    app_of(analyst)
    client = Client()
    password_step(client, analyst)
    assert code_step(client, code).status_code == 200
    assert not is_in(client)


def test_a_wrong_code_is_written_down_without_it(analyst: User, caplog: pytest.LogCaptureFixture) -> None:
    app_of(analyst)
    client = Client()
    password_step(client, analyst)
    with caplog.at_level(logging.DEBUG):
        code_step(client, "123321")
    row = AuditEntry.objects.get(verb="login.failed")
    assert (row.target, row.data["step"], row.address) == ("mara", "second factor", "127.0.0.1")
    assert "123321" not in str(row.data) + caplog.text


def test_the_right_code_signs_in_and_goes_on(analyst: User) -> None:
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst, next="/incidents/")
    assert code_step(client, code_of(key))["Location"] == "/incidents/"
    assert is_in(client)
    assert AuditEntry.objects.get(verb="login").data["by"] == ["password", "totp"]


ELSEWHERE = ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]


@pytest.mark.parametrize("there", ELSEWHERE)
def test_signing_in_never_leads_to_another_site(analyst: User, there: str) -> None:
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst, next=there)
    assert code_step(client, code_of(key))["Location"] == "/"


def test_a_code_works_once(analyst: User) -> None:
    key = app_of(analyst)
    code = code_of(key)
    first, second = Client(), Client()
    password_step(first, analyst)
    password_step(second, analyst)
    assert code_step(first, code).status_code == 302
    assert code_step(second, f" {code[:3]} {code[3:]} ").status_code == 200
    assert not is_in(second)


def test_a_code_of_somebody_else_is_none(analyst: User, viewer: User) -> None:
    app_of(analyst)
    other = app_of(viewer)
    client = Client()
    password_step(client, analyst)
    assert code_step(client, code_of(other)).status_code == 200
    assert not is_in(client)


def test_an_old_code_is_none(analyst: User) -> None:
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst)
    assert code_step(client, code_of(key, periods=-4)).status_code == 200
    assert not is_in(client)


def test_the_second_step_is_not_there_without_the_first(analyst: User) -> None:
    key = app_of(analyst)
    client = Client()
    assert code_step(client, code_of(key))["Location"] == "/accounts/login/"
    assert not is_in(client)


def test_whoever_is_deactivated_between_the_steps_stays_out(analyst: User) -> None:
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst)
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    code_step(client, code_of(key))
    assert not is_in(client)


def test_guessing_ends_soon_for_a_name_from_wherever_it_comes(analyst: User) -> None:
    key = app_of(analyst)
    for address in ("10.0.0.8", "10.0.0.9"):
        client = Client(REMOTE_ADDR=address)
        password_step(client, analyst)
        for number in range(5):
            code_step(client, f"{number:06}")
    client = Client(REMOTE_ADDR="10.0.0.10")
    password_step(client, analyst)
    right = code_step(client, code_of(key))
    assert right.status_code == 200
    assert "Too many" in right.content.decode()
    assert not is_in(client)


def test_setting_up_shows_the_key_and_asks_for_a_code_of_it(analyst: User) -> None:
    client = signed_in(analyst)
    page = client.get(ACTIVATE).content.decode()
    key = key_on(page)
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture
    assert b"<svg" in base64.b64decode(picture[1])
    assert client.post(ACTIVATE, {"code": "000000"}).status_code == 200
    assert factors(analyst) == []
    done = client.post(ACTIVATE, {"code": code_of(key)})
    assert done["Location"] == "/accounts/2fa/codes/"
    assert factors(analyst) == ["recovery_codes", "totp"]
    assert AuditEntry.objects.get(verb="factor.added").data == {"type": "totp"}
    again = Client()
    password_step(again, analyst)
    assert code_step(again, code_of(key)).status_code == 200, "the code it was set up by signs nobody in"


def test_keys_and_codes_are_encrypted_wherever_they_stand(analyst: User) -> None:
    client = signed_in(analyst)
    key = key_on(client.get(ACTIVATE).content.decode())
    kept = Session.objects.get().session_data
    assert key not in kept + str(Session.objects.get().get_decoded() == {})
    assert base64.b64encode(key.encode()).decode()[:12] not in kept
    client.post(ACTIVATE, {"code": code_of(key)})
    codes = re.findall(r"<li>(\d{10})</li>", client.get("/accounts/2fa/codes/").content.decode())
    assert len(codes) == 10
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert key not in rows
    assert rows.count("fernet:") == 2
    assert not any(code in rows for code in codes)


def test_recovery_codes_are_shown_once_and_work_once(analyst: User) -> None:
    key = app_of(analyst)
    codes = codes_of(analyst)
    client = Client()
    password_step(client, analyst)
    assert code_step(client, codes[0]).status_code == 302
    again = Client()
    password_step(again, analyst)
    assert code_step(again, codes[0]).status_code == 200
    assert not is_in(again)
    page = client.get("/accounts/2fa/codes/").content.decode()
    assert codes[1] in page
    assert codes[0] not in page
    assert codes[1] not in client.get("/accounts/2fa/codes/").content.decode()
    assert client.get("/accounts/2fa/codes/download/").status_code == 404
    assert key


def test_new_recovery_codes_end_the_old(analyst: User) -> None:
    app_of(analyst)
    old = codes_of(analyst)
    client = Client()
    password_step(client, analyst)
    code_step(client, old[0])
    assert client.post("/accounts/2fa/codes/generate/").status_code == 302
    again = Client()
    password_step(again, analyst)
    assert code_step(again, old[1]).status_code == 200
    assert not is_in(again)
    assert AuditEntry.objects.filter(verb="factor.codes_made").count() == 1


def test_taking_the_app_off(analyst: User) -> None:
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst)
    code_step(client, code_of(key))
    assert client.get("/accounts/2fa/").status_code == 200
    assert client.post("/accounts/2fa/app/deactivate/").status_code == 302
    assert factors(analyst) == []
    assert AuditEntry.objects.get(verb="factor.removed").data == {"type": "totp"}
    assert is_in(signed_in(analyst))


def test_the_last_one_stays_where_a_role_asks_for_it(analyst: User) -> None:
    Role.objects.filter(group__name="Analyst").update(second_factor=True)
    key = app_of(analyst)
    client = Client()
    password_step(client, analyst)
    code_step(client, code_of(key))
    refused = client.post("/accounts/2fa/app/deactivate/")
    assert "A role of yours asks" in refused.content.decode()
    assert factors(analyst) == ["totp"]


def test_changing_factors_asks_for_the_password_after_a_while(as_analyst: Client, analyst: User) -> None:
    """A browser that was left open is not enough."""
    asked = as_analyst.get(ACTIVATE)
    assert asked["Location"].startswith("/accounts/reauthenticate/?next=")
    assert as_analyst.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert AuditEntry.objects.get(verb="confirm.failed").actor_id == analyst.pk
    done = as_analyst.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": ACTIVATE})
    assert done["Location"] == ACTIVATE
    assert as_analyst.get(ACTIVATE).status_code == 200


def test_a_key_that_cannot_be_read_is_told_in_words(analyst: User, settings: Any) -> None:
    key = app_of(analyst)
    settings.ENCRYPTION_KEYS = ["another key, without the first"]
    client = Client()
    password_step(client, analyst)
    answer = code_step(client, code_of(key))
    assert answer.status_code == 200
    assert "cannot be read any more" in answer.content.decode()


def test_factors_of_others_cannot_be_touched(analyst: User, viewer: User) -> None:
    row = Authenticator.objects.create(
        user=viewer, type=Authenticator.Type.WEBAUTHN, data={"name": "Theirs", "credential": {}}
    )
    client = signed_in(analyst)
    for verb in ("remove", "rename"):
        assert client.get(f"/accounts/2fa/keys/{row.pk}/{verb}/").status_code == 404
        assert client.post(f"/accounts/2fa/keys/{row.pk}/{verb}/", {"name": "x"}).status_code == 404
    assert factors(viewer) == ["webauthn"]
    assert "Theirs" not in client.get("/accounts/2fa/").content.decode()


@pytest.mark.parametrize("credential", ["", "x", "[]", "5", "null", "{}", '{"id": 5}', '{"response": {"id": 7}}'])
@pytest.mark.parametrize("address", ["/accounts/2fa/keys/login/", "/accounts/2fa/authenticate/"])
def test_what_is_no_answer_of_a_key_signs_nobody_in(analyst: User, address: str, credential: str) -> None:
    app_of(analyst)
    client = Client()
    password_step(client, analyst)
    assert client.post(address, {"credential": credential}).status_code in (200, 302)
    assert not is_in(client)


def test_keys_can_be_rotated(analyst: User, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = ["the old key"]
    key = app_of(analyst)
    codes = codes_of(analyst)
    settings.ENCRYPTION_KEYS = ["the new key", "the old key"]
    assert rotate() == 2
    settings.ENCRYPTION_KEYS = ["the new key"]
    for code in (code_of(key), codes[0]):
        client = Client()
        password_step(client, analyst)
        assert code_step(client, code).status_code == 302
        assert is_in(client)


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1"), (9, "")])
def test_the_address_is_what_ones_own_proxies_say(analyst: User, settings: Any, proxies: int, address: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    Client(headers={"x-forwarded-for": "10.0.0.1, 10.0.0.2"}).post("/accounts/login/", {"login": "x", "password": "y"})
    assert AuditEntry.objects.get(verb="login.failed").address == (address or None)
