"""MISP over HTTP: what a value is known for, and its attributes as a feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from soar.accounts.models import User
from soar.connectors import actions as accounts
from soar.connectors import registry
from soar.connectors.errors import Refused
from soar.connectors.intelligence.feeds import actions
from soar.connectors.intelligence.providers import misp
from soar.connectors.intelligence.rating import Rating, rate_values
from soar.connectors.models import Attempt, ConnectorAccount, FeedEntry, FeedState, ProviderAnswer
from soar.standins.misp import Misp
from soar.standins.server import Server
from tests.feed_files import send
from tests.fixtures import client_of

# Providers are asked in threads with connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
KEY = "misp-key-0123456789"
BAD = "bad.example.net"


class Here:
    """The instance and the account that asks it."""

    def __init__(self, standin: Misp, account: ConnectorAccount) -> None:
        self.standin, self.account = standin, account

    def knows(self, value: str, **what: Any) -> None:
        self.standin.state["known"][value] = what

    def rate(self, type_: str, value: str) -> Rating:
        return rate_values([(type_, value)], tlp="amber", ask=True)[type_, value]

    def read(self) -> FeedState:
        actions.bring(self.account.pk)
        return FeedState.objects.get(account=self.account)

    def values(self) -> list[str]:
        return sorted(FeedEntry.objects.filter(account=self.account).values_list("value", flat=True))

    def fault(self, kind: str) -> None:
        assert self.standin._order({"kind": kind, "times": 9}).status == 200


@pytest.fixture
def here() -> Iterator[Here]:
    standin = Misp()
    standin.state["known"] = {}
    with Server([standin]) as server:
        given = {"url": server.urls["misp"]["url"], "allow_internal": True, "days": 0}
        yield Here(standin, accounts.create_account(None, "misp", "Our MISP", given, {"token": KEY}))


@pytest.mark.parametrize("fault", ["429", "500", "503", "html", "garbage", "before", "after", "401", "403"])
def test_13_a_failure_is_unrated_with_the_reason(here: Here, fault: str) -> None:
    here.knows(BAD, event="APT 0")
    here.fault(fault)
    rating = here.rate("domain", BAD)
    assert rating.risk == "unrated" and "Our MISP" in " ".join(rating.problems)
    assert not ProviderAnswer.objects.exists()
    assert KEY not in f"{rating} {list(Attempt.objects.values())}"


@pytest.mark.parametrize(
    ("what", "risk"),
    [
        ({"event": "APT 0"}, "highly_suspicious"),
        ({"event": "Report", "to_ids": False}, "unrated"),
        ({"event": "Old", "deleted": True}, "unrated"),
        ({"event": "Doubtful", "sightings": ["0", "1"]}, "suspicious"),
        ({"event": "Seen", "sightings": ["0"]}, "highly_suspicious"),
    ],
)
def test_13_what_it_says_of_a_value(here: Here, what: dict[str, Any], risk: str) -> None:
    here.knows(BAD, **what)
    assert here.rate("domain", BAD).risk == risk


def test_the_threshold_is_the_admins(here: Here) -> None:
    here.account.settings["malicious_at"] = 2
    here.account.save()
    here.knows(BAD, event="APT 0")
    assert here.rate("domain", BAD).risk == "suspicious"


def test_half_of_a_pair_is_the_value(here: Here) -> None:
    here.knows(f"{BAD}|9.9.9.10", type="domain|ip", event="Pair")
    assert here.rate("ip", "9.9.9.10").risk == here.rate("domain", BAD).risk == "highly_suspicious"


def test_a_sign_that_stands_for_anything_there_finds_nothing_else(here: Here) -> None:
    """A URL may hold a percent sign, which its database takes for any text."""
    here.knows(f"https://{BAD}/a/long/way/b", type="url", event="Other")
    rating = here.rate("url", f"https://{BAD}/a%b")
    assert here.standin.state["asked"] == [f"https://{BAD}/a%b"]
    assert (rating.risk, rating.problems) == ("unrated", ["Our MISP does not know it."])


def test_a_url_is_not_taken_apart(here: Here) -> None:
    here.account.settings["strip_query"] = False
    here.account.save()
    here.knows(f"https://{BAD}/a?b&&c", type="url", event="Odd")
    assert here.rate("url", f"https://{BAD}/a?b&&c").risk == "highly_suspicious"


def test_the_connection_test(here: Here) -> None:
    assert registry.of(here.account).test().message == "MISP 2.4.190 answers, and takes the key."
    here.fault("401")
    health = registry.of(here.account).test()
    assert not health.ok and "refuses the key" in health.message


# As a feed


def test_only_what_is_for_detection_comes_in(here: Here) -> None:
    here.knows(BAD, event="APT 0")
    here.knows("note.example.net", event="Report", to_ids=False)
    here.knows("evil.example.net|9.9.9.10", type="domain|ip", event="Pair")
    assert here.read().entry_count == 3
    assert here.values() == ["9.9.9.10", BAD, "evil.example.net"]


def test_pages_that_are_short_because_of_rights_are_not_the_last(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(misp, "PAGE", 3)
    for number in range(8):
        here.knows(f"evil-{number}.com", event=str(number))
    here.standin.state["hidden"] = 1
    assert here.read().entry_count == 5  # of pages of 3, 3 and 2, one each may not be seen
    assert "evil-7.com" not in here.values() and "evil-6.com" in here.values()


def test_what_was_taken_out_there_is_gone_here(here: Here) -> None:
    here.knows(BAD, event="APT 0")
    here.knows("evil.example.net", event="APT 0")
    here.read()
    here.knows(BAD, event="APT 0", to_ids=False)
    here.read()
    assert here.values() == ["evil.example.net"]


@pytest.mark.parametrize("fault", ["401", "429", "500", "html", "garbage"])
def test_what_fails_leaves_the_feed_as_it_was(here: Here, fault: str) -> None:
    here.knows(BAD, event="APT 0")
    here.read()
    here.fault(fault)
    state = here.read()
    assert state.last_error and state.failed_at and here.values() == [BAD]


def test_it_comes_by_itself_when_it_is_due(here: Here) -> None:
    here.knows(BAD, event="APT 0")
    actions.ring()
    assert not FeedState.objects.filter(started_at__isnull=False).exists()
    here.account.settings["every_minutes"] = 60
    here.account.save()
    actions.ring()
    assert FeedState.objects.get(account=here.account).started_at is not None


def test_it_stands_with_the_feeds_and_takes_no_file(here: Here, admin: User) -> None:
    here.knows(BAD, event="APT 0")
    here.read()
    page = client_of(admin).get("/settings/feeds/").content.decode()
    assert "Our MISP" in page and ">MISP<" in page
    with pytest.raises(Refused, match="brings its values itself"):
        send(None, here.account.pk, b"evil.com")


def test_a_pause_that_is_too_short_is_refused() -> None:
    given = {"url": "https://misp.example", "every_minutes": 2}
    with pytest.raises(Refused) as caught:
        accounts.create_account(None, "misp", "M", given, {"token": KEY})
    assert set(caught.value.errors) == {"every_minutes"}
