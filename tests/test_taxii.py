"""A TAXII 2.1 collection as a feed over HTTP: pages, versions, what a server overlooks, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from soar.connectors import actions as accounts
from soar.connectors import registry
from soar.connectors.errors import Refused
from soar.connectors.intelligence.feeds import actions
from soar.connectors.intelligence.lookup import look_up
from soar.connectors.models import Attempt, ConnectorAccount, FeedEntry, FeedState
from soar.lib import clock
from soar.standins.server import Server
from soar.standins.taxii import COLLECTION, Taxii, indicator

pytestmark = pytest.mark.django_db


class Here:
    """The server and the account that reads it."""

    def __init__(self, standin: Taxii, account: ConnectorAccount) -> None:
        self.standin, self.account = standin, account

    def read(self) -> FeedState:
        """Bring it once; its state then."""
        actions.bring(self.account.pk)
        return FeedState.objects.get(account=self.account)

    def values(self) -> list[str]:
        """What is in the feed."""
        return sorted(FeedEntry.objects.filter(account=self.account).values_list("value", flat=True))

    def holds(self, *objects: dict[str, Any]) -> None:
        self.standin.state["objects"] = list(objects)

    def fault(self, kind: str) -> None:
        assert self.standin._order({"kind": kind, "times": 9}).status == 200


@pytest.fixture
def here() -> Iterator[Here]:
    standin = Taxii()
    with Server([standin]) as server:
        given = {"url": server.urls["taxii"]["url"], "allow_internal": True, "collection": COLLECTION}
        yield Here(standin, accounts.create_account(None, "taxii", "Sector", given, {}))


def name(number: int, **more: Any) -> dict[str, Any]:
    return indicator(number, f"[domain-name:value = 'evil-{number}.com']", **more)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("401", "sign-in"), ("403", "may not read"), ("404", "404"), ("500", "500"), ("html", "503"),
     ("garbage", "whole answer"), ("before", "")],
)  # fmt: skip
def test_what_fails_leaves_the_feed_as_it_was(here: Here, fault: str, words: str) -> None:
    here.holds(name(1))
    here.read()
    here.holds(name(1), name(2))
    here.fault(fault)
    state = here.read()
    assert words in state.last_error and state.last_error and state.failed_at
    assert here.values() == ["evil-1.com"]


def test_a_failure_on_a_later_page_takes_nothing_of_the_former(here: Here) -> None:
    here.holds(*(name(number) for number in range(5)))
    original = here.standin.answer

    def answer(request: Any) -> Any:
        if request.argument("next") == "2":
            return here.standin.refused(403)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    assert "may not read" in here.read().last_error and here.values() == []


@pytest.mark.parametrize("wordless", [False, True])
def test_all_pages_are_read_with_or_without_a_word_for_the_next(here: Here, wordless: bool) -> None:
    here.standin.state["wordless"] = wordless
    here.holds(*(name(number) for number in range(7)))
    assert here.read().entry_count == 7
    assert here.values() == [f"evil-{number}.com" for number in range(7)]


def test_a_server_that_goes_round_in_circles_is_left(here: Here) -> None:
    here.standin.state["stuck"] = True
    assert "again and again" in here.read().last_error
    assert here.standin.state["reads"] < 5


def test_nothing_is_read_again_until_something_was_added(here: Here) -> None:
    here.holds(name(1), name(2), name(3))
    here.read()
    reads = here.standin.state["reads"]
    moment = clock.now() + timedelta(hours=20)
    with clock.at(moment):
        later = here.read()
    assert here.standin.state["reads"] == reads + 1 and later.imported_at == moment
    here.standin.state["objects"].append(name(4))
    assert here.read().entry_count == 4


def test_the_last_version_counts_whatever_comes_first(here: Here) -> None:
    old, new = name(1), indicator(1, "[domain-name:value = 'evil-new.com']", added=9)
    here.holds(new, old)
    here.read()
    assert here.values() == ["evil-new.com"]


def test_what_was_revoked_is_gone(here: Here) -> None:
    here.holds(name(1), name(2))
    here.read()
    assert look_up([("domain", "evil-1.com")])["domain", "evil-1.com"].risk == "highly_suspicious"
    here.standin.state["objects"].append(name(1, added=9, revoked=True))
    here.read()
    assert here.values() == ["evil-2.com"]


def test_objects_that_nobody_asked_for_are_passed_over(here: Here) -> None:
    here.standin.state["deaf"] = True
    here.holds(name(1), {"added": "2026-01-01T05:00:00.0Z", "object": {"type": "malware", "id": "malware--1"}})
    assert (here.read().entry_count, here.values()) == (1, ["evil-1.com"])


def test_only_so_many_days_are_asked_for(here: Here) -> None:
    here.account.settings["days"] = 1
    here.account.save()
    here.holds(name(1), name(5))
    with clock.at(datetime(2026, 1, 2, 3, tzinfo=UTC)):
        here.read()
    assert here.values() == ["evil-5.com"]


def test_an_empty_collection_is_an_empty_feed(here: Here) -> None:
    here.holds()
    state = here.read()
    assert (state.entry_count, state.last_error) == (0, "")


def test_a_wrong_sign_in_and_a_collection_that_is_not_there(here: Here) -> None:
    test = registry.of(here.account).test
    assert test().message == "The collection “Practice indicators” may be read."
    accounts.update_account(None, here.account.pk, secrets={"username": "stranger", "password": "to-the-server"})
    health = registry.of(ConnectorAccount.objects.get(pk=here.account.pk)).test()
    assert not health.ok and "sign-in (401)" in health.message
    assert "to-the-server" not in str(list(Attempt.objects.values()))
    here.account.settings["collection"] = "elsewhere"
    assert "no such collection" in registry.of(here.account).test().message


@pytest.mark.parametrize(("name", "value"), [("collection", "../x"), ("every_minutes", 3), ("collection", "")])
def test_settings_that_cannot_be_are_refused_beside_their_field(name: str, value: Any) -> None:
    given = {"url": "https://taxii.example/api1", "collection": COLLECTION, name: value}
    with pytest.raises(Refused) as caught:
        accounts.create_account(None, "taxii", "T", given, {})
    assert set(caught.value.errors) == {name}


def test_what_has_grown_too_old_goes_though_nothing_is_added(here: Here) -> None:
    now = clock.now()
    here.account.settings = {**here.account.settings, "days": 2}
    here.account.save()
    for number, hours in ((1, 40), (2, 20)):
        added = clock.iso(now - timedelta(hours=hours))
        here.standin.state["objects"].append({**name(number), "added": added})
    here.read()
    assert here.values() == ["evil-1.com", "evil-2.com"]
    reads = here.standin.state["reads"]
    with clock.at(now + timedelta(hours=7)):
        here.read()
    assert here.values() == ["evil-1.com", "evil-2.com"] and here.standin.state["reads"] == reads + 1
    with clock.at(now + timedelta(hours=9)):
        here.read()
    assert here.values() == ["evil-2.com"]
    with clock.at(now + timedelta(days=30)):
        here.read()
    assert here.values() == []


def test_what_the_server_deleted_goes_within_a_day(here: Here) -> None:
    now = clock.now()
    here.holds(name(1), name(2))
    here.read()
    here.holds(name(2))
    with clock.at(now + timedelta(hours=23)):
        here.read()
    assert here.values() == ["evil-1.com", "evil-2.com"]
    with clock.at(now + timedelta(hours=25)):
        here.read()
    assert here.values() == ["evil-2.com"]
