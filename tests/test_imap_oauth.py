"""Signing in to a mailbox by OAuth 2 with the credentials of an application: tokens are got, kept, and renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.models import Alert, AlertPull
from cases.pulls import reading
from soar.connectors import actions, registry
from soar.connectors.base import Health
from soar.connectors.errors import Refused
from soar.connectors.models import AccessToken, Attempt, ConnectorAccount
from soar.lib import clock
from soar.standins.imap import USERNAME, Imap
from soar.standins.server import Server
from tests.factories import make_source
from tests.mails import phish, reported

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "client-secret-1234"
TOKENS = "/practice/oauth2/v2.0/token"


@pytest.fixture
def server() -> Iterator[Server]:
    with Server([Imap()]) as running:
        yield running


@pytest.fixture
def box(server: Server) -> Imap:
    found = server.standins["imap"]
    assert isinstance(found, Imap)
    found.state["secret"] = SECRET
    return found


@pytest.fixture
def account(server: Server, box: Imap) -> ConnectorAccount:
    settings = {"url": server.urls["imap"]["url"], "allow_internal": True, "timeout_seconds": 5, "client_id": "app",
                "token_url": f"{server.address}/imap{TOKENS}"}  # fmt: skip
    return actions.create_account(None, "imap", "box", settings, {"username": USERNAME, "client_secret": SECRET})


@pytest.fixture
def row(account: ConnectorAccount) -> AlertPull:
    return pulls.set_pull(Actor.system(), make_source("Reported mail", kind="email").slug, account=account.name)


def deliver(box: Imap, *numbers: int) -> None:
    for number in numbers:
        box.deliver(reported(phish(number), note=f"Number {number}"))


def read(row: AlertPull) -> AlertPull:
    AlertPull.objects.filter(pk=row.pk).update(lease=None, leased_until=None)
    reading.pull(row.pk)
    row.refresh_from_db()
    return row


def health_of(account: ConnectorAccount) -> Health:
    return registry.of(ConnectorAccount.objects.get(pk=account.pk)).test()


def test_the_test_signs_in(account: ConnectorAccount) -> None:
    health = health_of(account)
    assert health.ok, health.message
    assert "lets us in" in health.message


def test_one_token_does_for_many_readings(box: Imap, row: AlertPull) -> None:
    for number in (1, 2, 3):
        deliver(box, number)
        assert read(row).last_error == ""
    assert (Alert.objects.count(), box.state["grants"]) == (3, 1)


def test_it_is_renewed_before_its_end(box: Imap, row: AlertPull) -> None:
    read(row)
    AccessToken.objects.update(expires_at=clock.now() + timedelta(seconds=20))
    assert read(row).last_error == ""
    assert box.state["grants"] == 2


def test_one_that_is_taken_no_more_is_renewed_at_once(box: Imap, row: AlertPull) -> None:
    deliver(box, 1)
    read(row)
    box.state["tokens"].clear()
    deliver(box, 2)
    read(row)
    assert (row.last_error, row.failures, Alert.objects.count(), box.state["grants"]) == ("", 0, 2, 2)


def test_one_that_ends_in_the_middle_skips_nothing_and_doubles_nothing(box: Imap, row: AlertPull) -> None:
    deliver(box, *range(45))
    box.state["uses"] = 30  # the first page has twenty messages
    read(row)
    assert (Alert.objects.count(), row.mark["uid"], row.failures) == (20, 20, 1)
    assert "practice-access" not in row.last_error
    read(row)
    assert (Alert.objects.count(), row.failures, row.last_error, box.state["grants"]) == (45, 0, "", 2)
    assert set(Alert.objects.values_list("count", flat=True)) == {1}


def test_a_mailbox_that_is_not_open_to_the_application_is_asked_twice_and_no_more(box: Imap, row: AlertPull) -> None:
    row.refresh_from_db()
    assert row.account is not None
    actions.update_account(
        None, row.account.pk, secrets={"username": "other@practice.example", "client_secret": SECRET}
    )
    read(row)
    assert "refused the sign-in" in row.last_error
    assert (row.failures, box.state["grants"]) == (1, 2)


def test_a_wrong_secret_is_told_in_the_words_of_who_gives_tokens(box: Imap, account: ConnectorAccount) -> None:
    box.state["secret"] = "another"
    health = health_of(account)
    assert health.message == (
        "No access token is given for the mailbox (AADSTS7000215: Invalid client secret provided.)."
    )
    assert not health.ok


@pytest.mark.parametrize("fault", ["500", "503", "429", "html", "garbage", "before", "after"])
def test_no_token_for_now_moves_nothing_and_is_made_good(box: Imap, row: AlertPull, fault: str) -> None:
    deliver(box, 1)
    assert box._order({"kind": fault, "times": 5}).status == 200  # also for those who ask again
    read(row)
    assert (row.failures, row.mark, Alert.objects.count()) == (1, {}, 0)
    box._faults.clear()
    read(row)
    assert (row.failures, row.last_error, Alert.objects.count()) == (0, "", 1)


def test_no_secret_is_written_down(box: Imap, row: AlertPull) -> None:
    deliver(box, 1)
    read(row)
    asked = Attempt.objects.get(operation="oauth.token")
    kept = " ".join(repr([one.request, one.response, one.error]) for one in Attempt.objects.all())
    assert asked.status == "successful"
    assert SECRET not in kept
    assert "practice-access" not in kept
    assert "Authorization" not in repr(asked.request)  # the form alone signs it


@pytest.mark.parametrize(
    ("settings", "secrets", "field"),
    [({}, {"client_secret": SECRET}, "token_url"),
     ({"token_url": "https://login.example.org/token"}, {"client_secret": SECRET}, "client_id"),
     ({"token_url": "http://login.example.org/token", "client_id": "a"}, {"client_secret": SECRET}, "token_url"),
     ({"token_url": "ftp://login.example.org/", "client_id": "a"}, {"client_secret": SECRET}, "token_url"),
     ({"token_url": "https://login.example.org/token", "client_id": "a"}, {"password": "b"}, "client_secret"),
     ({"token_url": "https://login.example.org/token", "client_id": "a"}, {"password": "b", "client_secret": SECRET},
      "password")],
)  # fmt: skip
@pytest.mark.usefixtures("db")
def test_settings_that_cannot_be(settings: dict[str, Any], secrets: dict[str, str], field: str) -> None:
    given = {"url": "imaps://outlook.office365.com", **settings}
    with pytest.raises(Refused) as refused:
        actions.create_account(None, "imap", "box", given, {"username": "a@example.org", **secrets})
    assert field in refused.value.errors
