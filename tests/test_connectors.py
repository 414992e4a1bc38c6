"""Connector accounts: rights, checks, calls with their attempts, the command line."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from guardian.shortcuts import assign_perm

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions, registry
from soar.connectors.errors import ConnectorError, Forbidden, NoConnector, Refused
from soar.connectors.http.connector import HttpConnector
from soar.connectors.models import Attempt, ConnectorAccount
from tests.connector_server import Product, json_reply

pytestmark = pytest.mark.django_db
TOKEN = "tok-0123456789-abcdef"


@pytest.fixture
def product() -> Iterator[Product]:
    server = Product()
    yield server
    server.stop()


@pytest.fixture
def account(product: Product) -> ConnectorAccount:
    settings = {"url": product.url, "allow_internal": "true", "timeout_seconds": "5"}
    return actions.create_account(None, "http", "EDR", settings, {"token": TOKEN})


def http(name: str = "EDR", **options: Any) -> HttpConnector:
    connector = registry.get(name, **options)
    assert isinstance(connector, HttpConnector)
    return connector


@pytest.mark.parametrize(
    ("kind", "name", "settings", "secrets", "field"),
    [
        ("nonesuch", "A", {"url": "https://a.example"}, {}, "kind"),
        ("http", " ", {"url": "https://a.example"}, {}, "name"),
        ("http", "A\x00B", {"url": "https://a.example"}, {}, "name"),
        ("http", "A", {}, {}, "url"),
        ("http", "A", {"url": "ftp://a.example"}, {}, "url"),
        ("http", "A", {"url": "https://user:pass@a.example"}, {}, "url"),
        ("http", "A", {"url": "https://a.example:99999"}, {}, "url"),
        ("http", "A", {"url": "https://a.example", "timeout_seconds": "-1"}, {}, "timeout_seconds"),
        ("http", "A", {"url": "https://a.example", "timeout_seconds": "301"}, {}, "timeout_seconds"),
        ("http", "A", {"url": "https://a.example", "allow_internal": "maybe"}, {}, "allow_internal"),
        ("http", "A", {"url": "https://a.example", "colour": "red"}, {}, "colour"),
        ("http", "A", {"url": "https://a.example"}, {"tokn": "x"}, "tokn"),
        ("http", "A", {"url": "https://a.example"}, {"token": 5}, "token"),
    ],
)
def test_bad_input_is_refused_beside_its_field(kind: str, name: str, settings: Any, secrets: Any, field: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, kind, name, settings, secrets)
    assert set(caught.value.errors) == {field}
    assert not ConnectorAccount.objects.exists()
    assert not AuditEntry.objects.filter(verb__startswith="connector.").exists()


def test_a_name_is_taken_whatever_its_case(account: ConnectorAccount) -> None:
    with pytest.raises(Refused, match="already"):
        actions.create_account(None, "http", "edr", {"url": "https://a.example"}, {})


def test_only_who_manages_connectors_changes_them(account: ConnectorAccount, responder: User, admin: User) -> None:
    for forbidden in (
        lambda: actions.create_account(responder, "http", "B", {"url": "https://a.example"}, {}),
        lambda: actions.update_account(responder, account.pk, enabled=False),
        lambda: actions.update_account(responder, account.pk, secrets={"token": "x"}),
        lambda: actions.test_account(responder, account.pk),
    ):
        with pytest.raises(Forbidden):
            forbidden()
    assign_perm("connectors.manage_connectoraccount", responder, account)
    assert actions.update_account(responder, account.pk, enabled=False).enabled is False
    assert actions.create_account(admin, "http", "B", {"url": "https://a.example"}, {}).pk


def test_the_audit_log_names_secrets_and_holds_none(account: ConnectorAccount, admin: User) -> None:
    actions.update_account(admin, account.pk, secrets={"username": "svc", "password": "p4ssw0rd-value"})
    rows = list(AuditEntry.objects.filter(verb__startswith="connector.").order_by("id").values_list("verb", "data"))
    assert rows == [
        ("connector.created", {"kind": "http", "secrets": ["token"]}),
        ("connector.changed", {"changed": {"secrets": [["token"], ["password", "token", "username"]]}}),
        ("connector.secrets_set", {"secrets": ["password", "username"]}),
    ]


def test_a_moved_account_loses_its_secrets(account: ConnectorAccount, admin: User) -> None:
    actions.update_account(admin, account.pk, settings={"url": "https://elsewhere.example"})
    assert ConnectorAccount.objects.get().secrets == {}


def test_other_settings_keep_the_secrets(account: ConnectorAccount, admin: User) -> None:
    actions.update_account(admin, account.pk, name="EDR 2", settings={"rate_per_minute": "60"})
    row = ConnectorAccount.objects.get()
    assert (row.name, row.rate_per_minute, row.secrets) == ("EDR 2", 60, {"token": TOKEN})
    assert row.allow_internal is True


def test_who_may_use_a_connector(
    account: ConnectorAccount, admin: User, analyst: User, viewer: User, stranger: User
) -> None:
    assert registry.get("edr", user=analyst).account == account
    with pytest.raises(NoConnector):
        registry.get("EDR", user=viewer)
    actions.update_account(admin, account.pk, restricted=True)
    for user in (analyst, stranger):
        with pytest.raises(NoConnector):
            registry.get("EDR", user=user)
    assign_perm("connectors.use_connectoraccount", analyst, account)
    assert registry.get("EDR", user=analyst).account == account
    with pytest.raises(NoConnector):
        registry.get("EDR", user=stranger)
    assert registry.get("EDR", user=admin).account == account
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    with pytest.raises(NoConnector):
        registry.get("EDR", user=User.objects.get(pk=analyst.pk))


def test_an_unknown_name_and_a_disabled_one(account: ConnectorAccount) -> None:
    with pytest.raises(NoConnector, match="nonesuch"):
        registry.get("nonesuch")
    connector = http()
    ConnectorAccount.objects.update(enabled=False)
    with pytest.raises(ConnectorError, match="disabled"):
        registry.get("EDR")
    connector.account.refresh_from_db()
    with pytest.raises(ConnectorError, match="disabled"):
        connector.request("GET", "/")


def test_an_internal_address_needs_leave(product: Product) -> None:
    actions.create_account(None, "http", "Out", {"url": product.url}, {})
    with pytest.raises(ConnectorError, match="internal address") as caught:
        http("Out").request("GET", "/")
    assert caught.value.permanent
    assert product.seen == []
    assert Attempt.objects.get().status == "unsuccessful"


def test_a_request_signs_in_and_gives_the_parsed_answer(account: ConnectorAccount, product: Product) -> None:
    cause = uuid.uuid4()
    answer = http(cause=cause).request("POST", "/hosts/7", json={"a": 1}, params={"q": "x"}, idempotency_key="run-1")
    assert answer == {"ok": True}
    [seen] = product.seen
    assert (seen["method"], seen["path"], json.loads(seen["body"])) == ("POST", "/hosts/7?q=x", {"a": 1})
    assert seen["headers"]["Authorization"] == f"Bearer {TOKEN}"
    assert seen["headers"]["Idempotency-Key"] == "run-1"
    assert seen["headers"]["X-Soar-Cause"] == str(cause)
    attempt = Attempt.objects.get()
    assert (attempt.operation, attempt.status, attempt.idempotency_key) == ("POST /hosts/7", "successful", "run-1")
    assert attempt.cause == cause
    assert attempt.response is not None
    assert attempt.response["body"] == {"ok": True}


def test_basic_sign_in(product: Product) -> None:
    settings = {"url": product.url, "allow_internal": "1"}
    actions.create_account(None, "http", "B", settings, {"username": "svc", "password": "pw"})
    http("B").request("GET", "")
    assert product.seen[0]["headers"]["Authorization"] == "Basic c3ZjOnB3"


@pytest.mark.django_db(transaction=True)
def test_the_attempt_is_written_before_the_call(account: ConnectorAccount, product: Product) -> None:
    found: list[str] = []

    def look() -> None:
        from django.db import connection

        found.extend(Attempt.objects.values_list("status", flat=True))  # of another connection: committed
        connection.close()

    product.on_request = look
    http().request("GET", "/")
    assert found == ["in_progress"]
    assert Attempt.objects.get().status == "successful"


@pytest.mark.django_db(transaction=True)
def test_no_call_inside_a_transaction(account: ConnectorAccount, product: Product) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        http().request("GET", "/")
    assert product.seen == []


def test_secrets_are_in_no_attempt_and_no_message(account: ConnectorAccount, product: Product) -> None:
    echo = json.dumps({"you_sent": f"Bearer {TOKEN}", "password": "hunter22", "list": [TOKEN]}).encode()
    product.replies = [json_reply(echo), json_reply(echo, 400)]
    connector = http()
    connector.request("POST", "/", json={"password": "in-the-body", "note": f"uses {TOKEN}"})
    with pytest.raises(ConnectorError) as caught:
        connector.request("GET", "/", params={"token": "in-the-query"})
    kept = json.dumps(list(Attempt.objects.values("request", "response", "error", "operation")))
    for secret in (TOKEN, "hunter22", "in-the-body", "in-the-query"):
        assert secret not in kept
        assert secret not in repr(connector)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("reply", "permanent", "status", "unknown"),
    [
        (json_reply(b"{}", 403), True, "unsuccessful", False),
        (json_reply(b"{}", 500), False, "unsuccessful", False),
        (json_reply(b"<html>", 200, Content_Type="text/html"), True, "successful", False),
        (lambda handler: handler.connection.close(), False, "unknown_outcome", True),
    ],
)
def test_a_failure_is_told_and_kept(
    account: ConnectorAccount, product: Product, reply: Any, permanent: bool, status: str, unknown: bool
) -> None:
    product.replies = [reply]
    with pytest.raises(ConnectorError) as caught:
        http().request("POST", "/", json={})
    assert (caught.value.permanent, caught.value.outcome_unknown) == (permanent, unknown)
    assert Attempt.objects.get().status == status


def test_a_dry_run_shows_the_request_and_sends_nothing(account: ConnectorAccount, product: Product) -> None:
    connector = http(dry_run=True)
    shown = connector.request("POST", "/hosts/7", json={"comment": "x", "api_key": "abcdef"})
    assert shown["dry_run"] is True
    assert shown["request"]["url"] == f"{product.url}/hosts/7"
    assert shown["request"]["body"] == {"comment": "x", "api_key": "••••"}
    assert TOKEN not in json.dumps(shown)
    with pytest.raises(ConnectorError, match="dry run"):
        connector.call("x", "GET", "/")
    assert product.seen == []
    assert not Attempt.objects.exists()


def test_the_budget(account: ConnectorAccount, admin: User, product: Product) -> None:
    actions.update_account(admin, account.pk, settings={"rate_per_minute": "2"})
    connector = http()
    connector.request("GET", "/")
    connector.request("GET", "/")
    with pytest.raises(ConnectorError, match="budget of 2") as caught:
        connector.request("GET", "/")
    assert not caught.value.permanent
    assert 0 < (caught.value.retry_after or 0) <= 60
    assert len(product.seen) == 2


def test_health_is_kept(account: ConnectorAccount, product: Product) -> None:
    assert actions.test_account(None, account.pk).ok
    product.replies = [json_reply(b'{"error": "bad token"}', 401)]
    health = actions.test_account(None, account.pk)
    account.refresh_from_db()
    assert not health.ok
    assert "401" in account.last_error
    assert account.last_ok_at is not None
    assert account.last_check_at == health.at


def test_command_create_test_list(product: Product, capsys: pytest.CaptureFixture[str], tmp_path: Any) -> None:
    (tmp_path / "secret").write_text(TOKEN + "\n")
    pairs = ["--set", f"url={product.url}", "--set", "allow_internal=true", "--secret-file", f"token={tmp_path}/secret"]
    call_command("connector", "create", "http", "Lab", *pairs)
    made = json.loads(capsys.readouterr().out)
    assert (made["name"], made["kind"], made["secrets"]) == ("Lab", "http", {"token": "••••cdef"})
    call_command("connector", "test", "lab")
    assert json.loads(capsys.readouterr().out)["ok"] is True
    call_command("connector", "list")
    out = capsys.readouterr().out
    assert [row["name"] for row in json.loads(out)] == ["Lab"]
    assert TOKEN not in out
    product.replies = [json_reply(b"{}", 500)]
    with pytest.raises(SystemExit) as caught:
        call_command("connector", "test", "Lab")
    assert caught.value.code == 1
    assert json.loads(capsys.readouterr().out)["ok"] is False


@pytest.mark.parametrize(
    "words",
    [
        ("create", "nonesuch", "A"),
        ("create", "http", "A"),
        ("create", "http", "A", "--set", "no-sign"),
        ("create", "http", "A", "--set", "url=https://a.example", "--secret-file", "token=/nonexistent"),
        ("test", "nonesuch"),
    ],
)
def test_command_errors_are_sentences(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((CommandError, SystemExit)):  # SystemExit: argparse has said what is wrong
        call_command("connector", *words)
    assert capsys.readouterr().out == ""
    assert not ConnectorAccount.objects.exists()


def test_help_lists_the_settings_of_a_kind(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("connector", "create", "http", "--help")
    out = capsys.readouterr().out
    for word in ("url", "allow_internal", "test_path", "token", "username", "password"):
        assert word in out
