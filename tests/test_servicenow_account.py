"""Signing in to ServiceNow, its tokens, Test connection, and setting up an account (servicenow.md 1)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.test import Client

from soar.connectors import actions, practice
from soar.connectors.base import ConnectorError
from soar.connectors.errors import Refused
from soar.connectors.models import AccessToken, Attempt, ConnectorAccount
from soar.connectors.registry import KINDS
from soar.lib import crypto
from soar.standins.server import Server
from soar.standins.servicenow import seed
from soar.standins.servicenow.standin import ServiceNow as Instance
from tests.servicenow_desk import WAYS, Desk, desk

pytestmark = pytest.mark.django_db
OAUTH = ("password", "client_credentials", "refresh_token")


@pytest.fixture(autouse=True)
def _forgotten() -> None:
    cache.clear()


@pytest.fixture
def here() -> Iterator[Desk]:
    with desk() as found:
        yield found


def look(here: Desk) -> bool:
    return here.connector().record("incident", "0" * 32, []) is None


def grants(here: Desk) -> int:
    return len(here.asked("oauth_token.do"))


def refresh_token(instance: Instance) -> str:
    """One that a person got for the integration user."""
    until = instance.store.now().timestamp() + 10_000
    instance.state["tokens"]["a-first-refresh-token"] = {"kind": "refresh", "user": seed.INTEGRATION, "until": until}
    return "a-first-refresh-token"


@pytest.fixture(params=OAUTH)
def signed(request: pytest.FixtureRequest) -> Iterator[Desk]:
    way = request.param
    if way != "refresh_token":
        with desk(way) as found:
            yield found
        return
    secrets = {"client_secret": seed.CLIENT_SECRET, "refresh_token": "a-first-refresh-token"}
    with desk(way, secrets=secrets, client_id=seed.CLIENT_ID, username=seed.INTEGRATION) as found:
        refresh_token(found.instance)
        yield found


@pytest.mark.parametrize("way", list(WAYS))
def test_every_way_of_signing_in(way: str) -> None:
    with desk(way) as here:
        assert look(here)
        assert here.asked("table")[-1]["user"] == seed.INTEGRATION


def test_a_token_is_used_until_it_ends(signed: Desk) -> None:
    assert look(signed) and look(signed)
    assert grants(signed) == 1


def test_a_refused_token_is_renewed_once_and_the_call_made_again(signed: Desk) -> None:
    look(signed)
    signed.do("expire")
    assert signed.connector().create("incident", {"short_description": "Once"}).number.startswith("INC")
    assert grants(signed) == 2
    assert [one["status"] for one in signed.asked("table/incident") if one["method"] == "POST"] == [401, 201]


def test_a_token_that_is_refused_again_is_an_error(signed: Desk) -> None:
    look(signed)
    signed.do("fault", kind="401", on="incident", times=9)
    with pytest.raises(ConnectorError) as caught:
        look(signed)
    assert caught.value.permanent and caught.value.status == 401
    assert grants(signed) == 2


def test_without_its_refresh_token_a_way_goes_back_to_its_secrets(signed: Desk) -> None:
    look(signed)
    signed.do("expire", refresh=True)
    if signed.account.settings["auth"] == "refresh_token":
        with pytest.raises(ConnectorError) as caught:
            look(signed)
        assert caught.value.permanent
        assert "invalid_grant" in caught.value.message
        assert "refresh_token" in caught.value.message
    else:
        assert look(signed)


def test_a_new_refresh_token_takes_the_place_of_the_old(signed: Desk) -> None:
    if signed.account.settings["auth"] != "refresh_token":
        assert look(signed)
        return
    look(signed)
    signed.instance.state["tokens"].pop("a-first-refresh-token")
    signed.do("expire")
    assert look(signed)


def test_tokens_end_before_their_end(signed: Desk) -> None:
    signed.do("arrange", token_seconds=20)
    assert look(signed) and look(signed)
    assert grants(signed) == 2


def test_tokens_are_kept_nowhere_in_the_open(signed: Desk) -> None:
    look(signed)
    signed.do("expire")
    look(signed)
    row = AccessToken.objects.get()
    assert row.account_id == signed.account.pk
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, refresh_token FROM connectors_accesstoken")
        stored = cursor.fetchone()
    kept = json.dumps([[one.request, one.response, one.error] for one in Attempt.objects.all()])
    held = signed.instance.state["tokens"]
    assert held
    for secret in [*held, seed.CLIENT_SECRET, seed.PASSWORD + '"']:
        assert secret not in kept
        assert secret not in str(stored)
    assert stored[0].startswith(crypto.PREFIX)
    assert str(row.token) in held


def test_a_token_is_worth_nothing_for_other_secrets(signed: Desk) -> None:
    look(signed)
    actions.update_account(None, signed.account.pk, secrets={"client_secret": "another"})
    with pytest.raises(ConnectorError) as caught:
        look(signed)
    assert "invalid_client" in caught.value.message
    assert caught.value.permanent and not caught.value.outcome_unknown
    assert "another" not in caught.value.message


@pytest.mark.parametrize("fault", ["hibernate", "html", "500", "before", "garbage"])
def test_an_outage_while_signing_in_may_pass(fault: str) -> None:
    with desk("client_credentials") as here:
        here.do("fault", kind=fault, on="token", times=9)
        with pytest.raises(ConnectorError) as caught:
            here.connector().create("incident", {"short_description": "x"})
        assert not caught.value.permanent and not caught.value.outcome_unknown


def test_a_grant_that_the_instance_does_not_allow() -> None:
    with desk("client_credentials") as here:
        here.do("property", name="glide.oauth.inbound.client.credential.grant_type.enabled", value="false")
        health = here.connector().test()
    assert not health.ok
    assert "unauthorized_client" in health.message and "glide.oauth" in health.message


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_asks_for_a_new_token() -> None:
    with desk("password") as here:
        look(here)
        here.do("expire")
        here.do("delay", seconds=0.1)
        ready = [here.connector() for _ in range(4)]

        def ask(number: int) -> bool:
            try:
                return ready[number].record("incident", "0" * 32, []) is None
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(ask, range(4)))
        assert grants(here) == 2


# Test connection.


def findings(here: Desk) -> dict[str, Any]:
    return {one.name: one for one in here.connector().inspect()}


def test_everything_is_as_it_should_be(here: Desk) -> None:
    made = here.connector().create("incident", {"short_description": "x", "work_notes": "note"})
    here.do("create", table="sn_si_incident", set={"short_description": "y"})
    here.do("arrange", audit_read="yes")
    found = findings(here)
    assert made.sys_id
    assert list(found) == [
        "credentials", "integration user", "roles", "table incident", "table sn_si_incident", "table sys_choice",
        "table sys_user", "table sys_user_group", "notes", "history", "time zone", "clock",
    ]  # fmt: skip
    assert {name: one.ok for name, one in found.items()} == dict.fromkeys(found, True)
    assert "soar.integration" in found["integration user"].text
    assert "itil_admin" in found["roles"].text
    health = here.connector().test()
    assert health.ok
    assert health.message == "ServiceNow takes the credentials of Soar Integration (soar.integration)."


@pytest.mark.parametrize("how", ["no", "empty"])
def test_a_history_that_may_not_be_read_is_told_and_nothing_is_wrong(here: Desk, how: str) -> None:
    made = here.connector().create("incident", {"short_description": "x"})
    here.connector().update("incident", made.sys_id, {"impact": "1"})
    here.do("arrange", audit_read=how)
    found = findings(here)["history"]
    assert found.ok is None and "sys_audit may not be read" in found.text
    health = here.connector().test()
    assert health.ok and "sys_audit" not in health.message


def test_wrong_credentials_are_all_that_is_told(here: Desk) -> None:
    actions.update_account(None, here.account.pk, secrets={"password": "not-the-password"})
    (only,) = here.connector().inspect()
    assert (only.name, only.ok) == ("credentials", False)
    assert "User Not Authenticated" in only.text
    health = here.connector().test()
    assert not health.ok and "does not take the credentials" in health.message
    assert "not-the-password" not in health.message


def test_missing_roles_are_named(here: Desk) -> None:
    here.do("user", user_name=seed.INTEGRATION, roles=["snc_platform_rest_api_access", "itil"])
    found = findings(here)
    assert found["roles"].ok is None
    assert "Without itil_admin" in found["roles"].text
    assert "sn_si.analyst" in found["roles"].text
    assert found["table incident"].ok is True
    assert found["table sn_si_incident"].ok is None


def test_without_the_role_for_the_api_nothing_works(here: Desk) -> None:
    here.do("user", user_name=seed.INTEGRATION, roles=["itil"])
    health = here.connector().test()
    assert not health.ok
    assert "Failed API level ACL Validation" in health.message


@pytest.mark.parametrize("table", ["incident", "sys_choice", "sys_user_group"])
def test_a_closed_table_is_wrong(here: Desk, table: str) -> None:
    here.do("arrange", closed_tables=[table])
    assert findings(here)[f"table {table}"].ok is False
    health = here.connector().test()
    assert not health.ok
    assert table in health.message


def test_a_wrong_table_is_told(here: Desk) -> None:
    (found,) = [one for one in here.connector().inspect(["u_nothing"]) if one.name == "table u_nothing"]
    assert found.ok is False
    assert "Invalid table u_nothing" in found.text


@pytest.mark.parametrize("how", ["no", "empty"])
def test_notes_that_may_not_be_read_are_told(here: Desk, how: str) -> None:
    here.connector().create("incident", {"short_description": "x", "work_notes": "note"})
    here.do("arrange", journal_read=how)
    found = findings(here)["notes"]
    assert found.ok is None
    assert "may not be read" in found.text
    assert here.connector().test().ok


def test_the_zone_and_the_clock_are_told(here: Desk) -> None:
    here.do("user", user_name=seed.INTEGRATION, set={"time_zone": "Asia/Kolkata"})
    here.do("clock", skew=300)
    found = findings(here)
    assert found["time zone"].ok is None and "+5.5 hours" in found["time zone"].text
    assert found["clock"].ok is None and "seconds ahead of ours" in found["clock"].text


def test_without_a_user_name_nobody_knows_whose_notes_are_ours() -> None:
    with desk("api_key", username="") as here:
        found = findings(here)
    assert found["credentials"].ok
    assert found["integration user"].ok is None
    assert found["roles"].ok is None


@pytest.mark.parametrize("state", ["hibernate", "down"])
def test_an_instance_that_is_away(here: Desk, state: str) -> None:
    here.do(state)
    health = here.connector().test()
    assert not health.ok
    assert "hibernates" in health.message or "whole answer" in health.message


# Setting up.


GIVEN = {"url": "https://dev1.service-now.com"}


@pytest.mark.parametrize(
    ("settings", "secrets", "wrong"),
    [
        ({}, {}, {"username", "password"}),
        ({"auth": "basic", "username": "soar"}, {"api_key": "k"}, {"password"}),
        ({"auth": "password", "username": "soar"}, {"password": "p"}, {"client_id", "client_secret"}),
        ({"auth": "client_credentials", "client_id": "c"}, {}, {"client_secret"}),
        ({"auth": "refresh_token", "client_id": "c"}, {"client_secret": "s"}, {"refresh_token"}),
        ({"auth": "api_key"}, {"password": "p"}, {"api_key"}),
        ({"auth": "kerberos"}, {}, {"auth"}),
        ({"auth": "api_key", "url": "dev1.service-now.com"}, {"api_key": "k"}, {"url"}),
        ({"auth": "api_key", "url": "https://dev1.service-now.com/nav_to.do"}, {"api_key": "k"}, {"url"}),
        ({"auth": "api_key", "url": "http://dev1.service-now.com"}, {"api_key": "k"}, {"url"}),
        ({"auth": "api_key", "url": ""}, {"api_key": "k"}, {"url"}),
    ],
)
def test_what_is_missing_is_said_by_its_name(
    settings: dict[str, Any], secrets: dict[str, str], wrong: set[str]
) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "servicenow", "Desk", {**GIVEN, **settings}, secrets)
    assert set(caught.value.errors) == wrong
    assert not ConnectorAccount.objects.exists()


def test_an_address_inside_the_network_is_not_reached_unless_allowed() -> None:
    with Server([Instance()]) as server:
        url = server.urls["servicenow"]["url"].replace("http://", "https://")
        settings = {"url": url, "username": seed.INTEGRATION}
        account = actions.create_account(None, "servicenow", "Desk", settings, {"password": seed.PASSWORD})
        health = actions.test_account(None, account.pk)
    assert not health.ok
    assert "is not reached" in health.message


def test_a_host_that_is_something_else() -> None:
    with desk() as here:
        url = here.account.settings["url"].removesuffix("/servicenow")
        actions.update_account(None, here.account.pk, settings={"url": url}, secrets={"password": seed.PASSWORD})
        health = here.connector().test()
    assert not health.ok
    assert "instead of data" in health.message


def test_the_form_says_beside_the_field_what_is_missing(as_admin: Client) -> None:
    sent = {f"set_{one.name}": str(one.default) for one in KINDS["servicenow"].all_settings() if one.form != "flag"}
    sent |= {"name": "Desk", "set_verify_tls": "on", "set_url": "https://dev1.service-now.com", "set_username": "soar"}
    answer = as_admin.post("/connectors/new/servicenow/", sent)
    assert answer.status_code == 422
    assert "It is needed for “User name and password” (basic)." in answer.content.decode()
    answer = as_admin.post("/connectors/new/servicenow/", {**sent, "secret_password": "a-long-password"})
    assert answer.status_code == 302
    assert "a-long-password" not in as_admin.get(answer["Location"]).content.decode()


def test_from_the_command_line() -> None:
    with Server([Instance()]) as server:
        out = io.StringIO()
        call_command(
            "connector", "create", "servicenow", "Desk", "--set", f"url={server.urls['servicenow']['url']}",
            "--set", "allow_internal=true", "--set", f"username={seed.INTEGRATION}",
            "--secret", f"password={seed.PASSWORD}", stdout=out,
        )  # fmt: skip
        assert seed.PASSWORD not in out.getvalue()
        out = io.StringIO()
        call_command("connector", "test", "Desk", stdout=out)
    assert json.loads(out.getvalue())["ok"] is True


def test_the_practice_range_brings_its_account() -> None:
    with Server([Instance()]) as server:
        assert practice.connect(server) == ["Practice ServiceNow"]
        practice.try_out(["Practice ServiceNow"])
        account = ConnectorAccount.objects.get()
    assert account.last_error == ""
    assert account.last_ok_at is not None
