"""FortiGate over HTTP against the stand-in: its numbers beside 500 and 404, then blocking and taking it back."""

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
from soar.standins.fortinet import FortiGate
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"token": "key-of-the-fortigate"}
BAD, NAME, SIX = Target("ip", "203.0.113.66"), Target("domain", "Evil-One.com"), Target("ip", "2001:db8::66")


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(FortiGate(), SECRETS, group6="soar-blocked6") as found:
        yield found


def do(here: Range, capability: str = "block", target: Target = BAD, **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=str(uuid.uuid4()))  # each is a task of its own


def failing(here: Range, capability: str = "block", target: Target = BAD) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target)
    return caught.value


def members(here: Range, version: str = "") -> list[str]:
    found: list[str] = here.state["groups"][f"addrgrp{version}"][f"soar-blocked{version}"]
    return found


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "does not take the API key with an HTML page"),
        ("403", True, "lacks a right"),
        ("404", True, "404"),
        ("429", False, "429"),
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
    assert members(here) == ["none"]


@pytest.mark.parametrize(
    ("target", "kind", "version", "part"),
    [
        (BAD, "address", "", {"subnet": "203.0.113.66 255.255.255.255"}),
        (NAME, "address", "", {"fqdn": "evil-one.com"}),
        (SIX, "address6", "6", {"ip6": "2001:db8::66/128"}),
    ],
)
def test_blocking_and_taking_it_back(
    here: Range, target: Target, kind: str, version: str, part: dict[str, str]
) -> None:
    name = do(here, target=target).data["object"]
    assert part.items() <= here.state["objects"][kind][name].items() and members(here, version) == ["none", name]
    assert "already" in do(here, target=target).message
    assert members(here, version) == ["none", name]
    assert "is out of the group" in do(here, "unblock", target).message
    assert "was not in the group" in do(here, "unblock", target).message
    assert (here.state["objects"][kind], members(here, version)) == ({}, ["none"])


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize("capability", ["block", "unblock"])
def test_broken_off_at_any_step_it_is_finished_by_the_next_try(here: Range, capability: str, step: int) -> None:
    if capability == "unblock":
        do(here)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == step - 1:
            here.fault("after")
        return original(request)

    if step == 1:
        here.fault("after")
    here.standin.answer = answer  # type: ignore[method-assign]
    with pytest.raises(ConnectorError):
        do(here, capability)
    here.standin.answer = original  # type: ignore[method-assign]
    here.standin._faults.clear()
    do(here, capability)
    assert (len(members(here)), len(here.state["objects"]["address"])) == ((2, 1) if capability == "block" else (1, 0))


def test_an_object_of_that_name_that_is_another_address_blocks_nothing(here: Range) -> None:
    here.state["objects"]["address"]["soar-203.0.113.66"] = {"subnet": "10.0.0.0 255.0.0.0"}
    assert "'10.0.0.0 255.0.0.0'" in failing(here).message
    assert members(here) == ["none"]


def test_an_object_that_something_else_uses_stays(here: Range) -> None:
    do(here)
    here.state["used"] = ["soar-203.0.113.66"]
    assert "something else uses it" in do(here, "unblock").message
    assert members(here) == ["none"] and here.state["objects"]["address"]


def test_the_last_member_of_a_group_is_said(here: Range) -> None:
    do(here)
    members(here).remove("none")
    assert "may not be empty" in failing(here, "unblock").message


def test_days_are_not_promised(here: Range) -> None:
    assert "lets no object expire" in do(here, days=7).message


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("url", "http://evil-one.com/a"), "not http://evil-one.com/a"),
        (Target("domain", "evil one"), "not evil one"),
        (Target("domain", "*.evil-one.com"), "not *.evil-one.com"),
        (Target("ip", "203.0.113.0/24"), "no IP address"),
    ],
)
def test_what_cannot_be_blocked_sends_nothing(here: Range, target: Target, words: str) -> None:
    error = failing(here, target=target)
    assert error.permanent and words in error.message and not Attempt.objects.exists()


def test_without_a_group_for_ipv6_they_are_refused(here: Range) -> None:
    here.account.settings["group6"] = ""
    here.account.save()
    assert "group6" in failing(here, target=SIX).message


def test_the_connection_test_looks_at_the_groups(here: Range) -> None:
    assert here.connector().test().message == "FortiOS v7.4.4 answers and has the group soar-blocked."
    here.account.settings["group"] = "elsewhere"
    here.account.save()
    assert "there is no address group elsewhere" in here.connector().test().message
    assert "refused it" in failing(here).message


@pytest.mark.parametrize("capability", ["block", "unblock"])
def test_a_preview_sends_nothing_and_shows_no_secret(here: Range, capability: str) -> None:
    shown = json.dumps(here.connector(dry_run=True).requests(capability, BAD, {}))
    assert "soar-203.0.113.66" in shown and SECRETS["token"] not in shown
    assert here.state["objects"] == {"address": {}, "address6": {}}


@pytest.mark.parametrize("name", ["group", "group6", "vdom"])
def test_settings_that_cannot_be_are_refused_beside_their_field(name: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "fortinet", "FG", {"url": "https://fg.example", name: "../x"}, SECRETS)
    assert set(caught.value.errors) == {name}
