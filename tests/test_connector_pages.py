"""Connector accounts in the browser (connectors.md 1, 2, 7): for those who manage them, secrets never shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import Client
from guardian.shortcuts import assign_perm

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions, health, notify
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message
from soar.connectors.models import Attempt, ConnectorAccount, Route
from soar.connectors.registry import KINDS
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.visionone import VisionOne
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
TOKEN = "tok-0123456789-abcdef"
URL = "https://hooks.slack.example/services/T0/B0/very-secret"


@pytest.fixture
def account() -> ConnectorAccount:
    return actions.create_account(None, "http", "EDR", {"url": "https://edr.example"}, {"token": TOKEN})


@pytest.fixture
def practice() -> Iterator[Server]:
    with Server([Slack(), VisionOne()]) as server:
        yield server


def form_of(kind: str, **values: str) -> dict[str, str]:
    """What a browser sends when nothing but ``values`` was changed."""
    sent = {f"set_{one.name}": str(one.default) for one in KINDS[kind].all_settings() if one.form != "flag"}
    return {**sent, "set_verify_tls": "on", "name": "Ours", **values}


def paths(pk: int) -> list[tuple[str, str]]:
    """Every address with its method."""
    one = f"/connectors/{pk}/"
    return [
        ("get", "/connectors/"), ("get", "/connectors/new/"), ("get", "/connectors/new/slack/"),
        ("post", "/connectors/new/slack/"), ("get", one), ("get", f"{one}edit/"), ("post", f"{one}edit/"),
        ("post", f"{one}enable/"), ("post", f"{one}disable/"), ("post", f"{one}test/"),
        ("post", "/connectors/routes/add/"), ("post", "/connectors/routes/1/remove/"),
        ("post", "/connectors/routes/1/raise/"),
    ]  # fmt: skip


def test_only_for_those_who_manage_connectors(
    client: Client, as_analyst: Client, as_viewer: Client, account: ConnectorAccount
) -> None:
    for method, path in paths(account.pk):
        assert getattr(as_analyst, method)(path).status_code == 403, path
        assert getattr(as_viewer, method)(path).status_code == 403, path
        assert getattr(client, method)(path).status_code == 302, path
    assert list(ConnectorAccount.objects.values_list("pk", "enabled")) == [(account.pk, True)]
    assert "/connectors/" not in as_analyst.get("/alerts/").content.decode()


def test_who_manages_one_sees_that_one(as_analyst: Client, analyst: User, account: ConnectorAccount) -> None:
    other = actions.create_account(None, "http", "Other", {"url": "https://other.example"}, {})
    assign_perm("connectors.manage_connectoraccount", analyst, account)
    text = as_analyst.get("/connectors/").content.decode()
    assert "EDR" in text
    assert "Other" not in text
    assert "Which connector acts" not in text
    assert as_analyst.get(f"/connectors/{account.pk}/").status_code == 200
    assert as_analyst.get(f"/connectors/{other.pk}/").status_code == 403
    assert as_analyst.get("/connectors/new/slack/").status_code == 403


def test_verbs_are_post_only_and_what_is_not_there_is_404(as_admin: Client, account: ConnectorAccount) -> None:
    for verb in ("enable", "disable", "test"):
        assert as_admin.get(f"/connectors/{account.pk}/{verb}/").status_code == 405
        assert as_admin.post(f"/connectors/{account.pk + 1}/{verb}/").status_code == 404
    for path in (f"/connectors/{account.pk + 1}/", "/connectors/new/nonesuch/"):
        assert as_admin.get(path).status_code == 404


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_form_with_all_its_fields(as_admin: Client, kind: str) -> None:
    text = as_admin.get(f"/connectors/new/{kind}/").content.decode()
    for one in KINDS[kind].all_settings():
        assert f'name="set_{one.name}"' in text
    for one in KINDS[kind].secrets:
        assert f'name="secret_{one.name}"' in text


def test_add_one_and_never_see_its_secrets_again(as_admin: Client, admin: User) -> None:
    answer = as_admin.post("/connectors/new/slack/", form_of("slack", set_url=URL, set_cleared="green"))
    made = ConnectorAccount.objects.get()
    assert answer["Location"] == f"/connectors/{made.pk}/"
    assert (made.name, made.kind, made.settings["cleared"], made.secrets) == ("Ours", "slack", "green", {"url": URL})
    for path in (f"/connectors/{made.pk}/", f"/connectors/{made.pk}/edit/", "/connectors/"):
        assert "very-secret" not in as_admin.get(path).content.decode(), path
    assert "TLP:GREEN" in as_admin.get(f"/connectors/{made.pk}/").content.decode()
    assert AuditEntry.objects.get(verb="connector.created").actor_id == admin.pk


@pytest.mark.parametrize(
    ("kind", "values", "sentence"),
    [
        ("slack", {"set_url": ""}, "url is needed"),
        ("slack", {"set_url": "ftp://a.example"}, "must be an address"),
        ("slack", {"set_url": URL, "name": " "}, "This field is required."),
        ("slack", {"set_url": URL, "set_cleared": "purple"}, "Select a valid choice"),
        ("slack", {"set_url": URL, "set_timeout_seconds": "0"}, "must be from 1 to 300"),
        ("smtp", {"set_url": "smtp://mail.example", "set_sender": "nobody"}, "This is no mail address."),
        ("webhook", {"set_url": "https://a.example", "secret_headers": "none"}, "Line 1 is no header"),
        ("visionone", {"set_url": "https://a.example"}, "token is needed"),
    ],
)
def test_bad_input_is_said_beside_its_field(as_admin: Client, kind: str, values: Any, sentence: str) -> None:
    answer = as_admin.post(f"/connectors/new/{kind}/", form_of(kind, **values))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert "errorline" in text
    assert not ConnectorAccount.objects.exists()


def test_a_refused_form_does_not_bring_a_secret_back(as_admin: Client) -> None:
    values = {"set_url": "nonsense", "secret_token": TOKEN, "secret_headers": "X-Key: abcdefgh"}
    text = as_admin.post("/connectors/new/webhook/", form_of("webhook", **values)).content.decode()
    assert TOKEN not in text
    assert "abcdefgh" not in text


def test_a_name_that_is_taken(as_admin: Client, account: ConnectorAccount) -> None:
    answer = as_admin.post("/connectors/new/slack/", form_of("slack", set_url=URL, name="edr"))
    assert answer.status_code == 422
    assert "already a connector named" in answer.content.decode()


def test_change_settings_and_keep_secrets(as_admin: Client, account: ConnectorAccount) -> None:
    path = f"/connectors/{account.pk}/edit/"
    values = {"set_url": "https://edr.example", "name": "EDR 2", "set_rate_per_minute": "60"}
    assert as_admin.post(path, form_of("http", **values)).status_code == 302
    row = ConnectorAccount.objects.get()
    assert (row.name, row.rate_per_minute, row.secrets) == ("EDR 2", 60, {"token": TOKEN})
    as_admin.post(path, form_of("http", **values, secret_username="svc", secret_password="pw", forget_token="on"))
    assert ConnectorAccount.objects.get().secrets == {"username": "svc", "password": "pw"}


def test_another_address_takes_the_secrets_away_and_says_so(as_admin: Client, account: ConnectorAccount) -> None:
    path = f"/connectors/{account.pk}/edit/"
    answer = as_admin.post(path, form_of("http", set_url="https://evil.example"), follow=True)
    assert "these secrets were removed: token" in answer.content.decode()
    assert ConnectorAccount.objects.get().secrets == {}


def test_a_needed_secret_has_to_be_given_with_another_address(as_admin: Client) -> None:
    made = actions.create_account(None, "visionone", "V1", {"url": "https://v1.example"}, {"token": TOKEN})
    path = f"/connectors/{made.pk}/edit/"
    answer = as_admin.post(path, form_of("visionone", set_url="https://evil.example"))
    assert answer.status_code == 422
    assert "token is needed" in answer.content.decode()
    assert ConnectorAccount.objects.get().settings["url"] == "https://v1.example"
    assert as_admin.post(path, form_of("visionone", set_url="https://v1.example")).status_code == 302


def test_a_masked_address_that_was_not_touched_stays(as_admin: Client) -> None:
    made = actions.create_account(None, "slack", "S", {"url": URL}, {})
    as_admin.post(f"/connectors/{made.pk}/edit/", form_of("slack", set_url=made.settings["url"], set_cleared="red"))
    row = ConnectorAccount.objects.get()
    assert (row.secrets, row.settings["cleared"]) == ({"url": URL}, "red")


def test_a_test_shows_what_was_found_and_keeps_it(as_admin: Client, practice: Server) -> None:
    settings = {"url": practice.urls["slack"]["url"], "allow_internal": "true"}
    made = actions.create_account(None, "slack", "Ops", settings, {})
    text = as_admin.post(f"/connectors/{made.pk}/test/", follow=True).content.decode()
    assert "Ops works: Sent to Ops." in text
    assert "Works" in text
    assert "message: test" in text
    httpx.post(f"{practice.urls['slack']['control']}/fault", json={"kind": "500", "times": 9})
    text = as_admin.post(f"/connectors/{made.pk}/test/", follow=True).content.decode()
    assert "Ops does not work" in text
    assert "The last test failed:" in text
    assert "The server failed." in as_admin.get("/connectors/").content.decode()


def test_a_channel_that_is_gone_is_shown_until_somebody_has_looked(as_admin: Client, practice: Server) -> None:
    settings = {"url": practice.urls["slack"]["url"], "allow_internal": "true"}
    made = actions.create_account(None, "slack", "Ops", settings, {})
    httpx.post(f"{practice.urls['slack']['control']}/fault", json={"kind": "410"})
    with pytest.raises(ConnectorError):
        notify.send(made, Message("Hello"), key="k")
    assert health.needing_a_look().count() == 1
    for path in ("/connectors/", f"/connectors/{made.pk}/"):
        text = as_admin.get(path).content.decode()
        assert '<span class="count ask t-violet" id="nav-n-connector-list">1</span>' in text
        assert "Switched off by Soar" in text
        assert "channel_is_archived" in text
    as_admin.post(f"/connectors/{made.pk}/enable/")
    made.refresh_from_db()
    assert (made.enabled, made.disabled_reason, health.needing_a_look().count()) == (True, "", 0)
    health.disable(made.pk, "gone again")
    as_admin.post(f"/connectors/{made.pk}/disable/")
    made.refresh_from_db()
    assert (made.enabled, made.disabled_reason, health.needing_a_look().count()) == (False, "", 0)


def test_a_person_s_switching_off_is_not_explained_away(account: ConnectorAccount) -> None:
    actions.update_account(None, account.pk, enabled=False)
    assert health.disable(account.pk, "gone") is False
    account.refresh_from_db()
    assert account.disabled_reason == ""


def test_calls_are_shown_without_secrets(as_admin: Client, practice: Server) -> None:
    settings = {"url": practice.urls["visionone"]["url"], "allow_internal": "true"}
    made = actions.create_account(None, "visionone", "V1", settings, {"token": TOKEN})
    actions.test_account(None, made.pk)
    Attempt.objects.create(account=made, operation="old", started_at="2020-01-01T00:00:00Z")
    text = as_admin.get(f"/connectors/{made.pk}/").content.decode()
    assert TOKEN not in text
    assert "Isolate endpoint" in text
    assert "••••" in text
    assert "old" not in text.partition("Calls of the last")[2].partition("</section>")[0].split()


def test_rules_say_which_connector_acts(as_admin: Client, admin: User, account: ConnectorAccount) -> None:
    one = actions.create_account(None, "visionone", "V1 north", {"url": "https://n.example"}, {"token": TOKEN})
    two = actions.create_account(None, "visionone", "V1 south", {"url": "https://s.example"}, {"token": TOKEN})
    add = "/connectors/routes/add/"
    first = {"capability": "isolate_endpoint", "asset_group": " North ", "account": one.pk}
    assert as_admin.post(add, first).status_code == 302
    assert as_admin.post(add, {"capability": "", "domain": "south.example", "account": two.pk}).status_code == 302
    rows = list(Route.objects.values_list("order", "capability", "asset_group", "domain", "account"))
    assert rows == [(10, "isolate_endpoint", "North", "", one.pk), (20, "", "", "south.example", two.pk)]
    last = Route.objects.get(order=20)
    as_admin.post(f"/connectors/routes/{last.pk}/raise/")
    assert Route.objects.first() == last
    text = as_admin.get("/connectors/").content.decode()
    assert text.index("south.example") < text.index("North")
    as_admin.post(f"/connectors/routes/{last.pk}/remove/")
    as_admin.post(f"/connectors/routes/{last.pk}/remove/")
    assert Route.objects.count() == 1
    verbs = list(AuditEntry.objects.filter(verb__startswith="route.", actor_id=admin.pk).values_list("verb", flat=True))
    assert sorted(verbs) == ["route.added", "route.added", "route.raised", "route.removed"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"capability": "make_coffee"}, "Select a valid choice"),
        ({"account": "999999"}, "Select a valid choice"),
        ({"capability": "revoke_cloud_access"}, "cannot do this: Revoke access permission."),
        ({"tag": "x" * 101}, "at most 100 characters"),
    ],
)
def test_a_rule_that_is_none_is_refused(as_admin: Client, values: Any, sentence: str) -> None:
    made = actions.create_account(None, "visionone", "V1", {"url": "https://n.example"}, {"token": TOKEN})
    answer = as_admin.post("/connectors/routes/add/", {"capability": "", "account": made.pk, **values})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Route.objects.exists()


def test_a_lost_key_takes_no_page_down_and_new_secrets_help(admin: User, practice: Server, settings: Any) -> None:
    given = {"url": practice.urls["slack"]["url"], "allow_internal": "true"}
    slack = actions.create_account(None, "slack", "Ops", given, {})
    settings.ENCRYPTION_KEYS = ["another key than before, long enough"]
    as_admin = client_of(admin)  # sessions are read with that key too: everybody signs in anew
    for path in ("/connectors/", f"/connectors/{slack.pk}/", f"/connectors/{slack.pk}/edit/"):
        assert as_admin.get(path).status_code == 200, path
    text = as_admin.post(f"/connectors/{slack.pk}/test/", follow=True).content.decode()
    assert "The secrets of Ops cannot be read" in text
    with pytest.raises(ConnectorError, match="cannot be read"):
        notify.send(ConnectorAccount.objects.get(), Message("Hello"), key="k")
    path = f"/connectors/{slack.pk}/edit/"
    answer = as_admin.post(path, form_of("slack", set_url=slack.settings["url"]))
    assert "Give the whole address" in answer.content.decode()
    as_admin.post(path, form_of("slack", set_url=given["url"], set_allow_internal="on"))
    assert notify.send(ConnectorAccount.objects.get(), Message("Hello"), key="k").state == "done"
