"""PAN-OS over HTTP against the stand-in: errors inside answers of 200, then blocking by tag and taking the tag off."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors import actions
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.errors import Refused
from soar.connectors.models import Attempt
from soar.standins.panos import PanOs
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"token": "LUFRPT1key-of-the-firewall"}
BAD = Target("ip", "203.0.113.66")


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(PanOs(), SECRETS) as found:
        yield found


def do(here: Range, capability: str = "block", target: Target = BAD, **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=str(uuid.uuid4()))  # each is a task of its own


def failing(here: Range, target: Target = BAD, **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, "block", target, **params)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "does not take the API key (Invalid Credential)"),
        ("403", True, "lacks a right in PAN-OS"),
        ("404", True, "404"),
        ("429", False, "Too many requests"),
        ("500", False, "500"),
        ("html", False, "HTML page"),
        ("garbage", False, "whole answer"),
    ],
)
def test_faults_are_told_by_their_words(here: Range, fault: str, permanent: bool, words: str) -> None:
    here.fault(fault, times=20)
    error = failing(here)
    assert error.permanent is permanent, error.message
    assert words in error.message
    assert SECRETS["token"] not in error.message + json.dumps(list(Attempt.objects.values_list("request", "response")))


def test_an_error_inside_an_answer_of_200_is_one(here: Range) -> None:
    here.state["most"] = 0
    error = failing(here)
    assert error.permanent and "maximum number of registered IP addresses" in error.message
    assert here.state["tags"][BAD.value] == {}


def test_another_virtual_system_than_there_is(here: Range) -> None:
    here.account.settings["vsys"] = "vsys9"
    here.account.save()
    assert "Invalid command or vsys" in failing(here).message


def test_blocking_and_taking_it_back(here: Range) -> None:
    done = do(here)
    assert here.state["tags"] == {BAD.value: {"soar-blocked": 0}} and "until it is removed" in done.message
    again = do(here)
    assert again.state == "done" and again.data["changed"] is False
    assert do(here, "unblock").message == "The tag is off 203.0.113.66."
    assert "did not have the tag" in do(here, "unblock").message
    assert here.state["tags"] == {BAD.value: {}}


@pytest.mark.parametrize(("days", "seconds"), [(1, 86_400), (30, 30 * 86_400), (31, 0)])
def test_how_long_it_stays(here: Range, days: int, seconds: int) -> None:
    done = do(here, days=days)
    assert here.state["tags"][BAD.value]["soar-blocked"] == seconds
    assert ("forgets by itself after at most 30 days" in done.message) is (days == 31)


def test_another_time_of_what_is_blocked_already_is_not_claimed(here: Range) -> None:
    do(here)
    assert "how long it stays was not changed" in do(here, days=1).message
    assert here.state["tags"][BAD.value]["soar-blocked"] == 0


def test_ipv6_in_its_one_spelling(here: Range) -> None:
    do(here, target=Target("ip", "2001:DB8:0:0::66"))
    assert list(here.state["tags"]) == ["2001:db8::66"]


@pytest.mark.parametrize(
    ("target", "days", "words"),
    [
        (Target("domain", "evil-one.com"), None, "not a domain"),
        (Target("hash", "0" * 64), None, "not a hash"),
        (Target("ip", '1.2.3.4"><evil/>'), None, "no IP address"),
        (Target("ip", "10.0.0.0/8"), None, "no IP address"),
        (BAD, 0, "whole number"),
        (BAD, True, "whole number"),
    ],
)
def test_what_cannot_be_blocked_sends_nothing(here: Range, target: Target, days: Any, words: str) -> None:
    error = failing(here, target, days=days)
    assert error.permanent and words in error.message and here.state["seen"] == []


def test_the_connection_test_names_the_firewall(here: Range) -> None:
    assert (
        here.connector().test().message == "fw-practice answers with PAN-OS 11.1.2; addresses get the tag soar-blocked."
    )


@pytest.mark.parametrize("capability", ["block", "unblock"])
def test_a_preview_sends_nothing_and_shows_no_secret(here: Range, capability: str) -> None:
    shown = json.dumps(here.connector(dry_run=True).requests(capability, BAD, {"days": 2}))
    assert BAD.value in shown and SECRETS["token"] not in shown and here.state["seen"] == []


@pytest.mark.parametrize(("name", "value"), [("tag", "a<b>"), ("vsys", "one")])
def test_settings_that_cannot_be_are_refused_beside_their_field(name: str, value: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "panos", "FW", {"url": "https://fw.example", name: value}, SECRETS)
    assert set(caught.value.errors) == {name}
