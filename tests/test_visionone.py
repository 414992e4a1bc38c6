"""Response actions of Vision One over HTTP against the stand-in: what goes wrong first (connectors.md 3, 4)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CAPABILITIES, Result, Target
from soar.connectors.models import Attempt
from soar.connectors.responder import Responder
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
LAPTOP = Target("endpoint", "lt-221")
KEY = "run-7.isolate.o1"


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}) as found:
        yield found


def finish(connector: Responder, capability: str, first: Result) -> tuple[Result, list[str]]:
    """Ask until it is over: the last result, and the product's words on the way."""
    words, result = [], first
    for _ in range(10):
        result = connector.poll(capability, result.reference or first.reference)
        words.append(result.remote)
        if result.state != "accepted":
            break
    return result, words


def refused(connector: Responder, capability: str, target: Target, **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        connector.perform(capability, target, params, key=KEY)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "permanent", "unknown", "words"),
    [
        ("401", True, False, "expired"),
        ("403", True, False, "role"),
        ("413", True, False, "1 MB"),
        ("429", False, False, "too many"),
        ("504", False, True, "took too long"),
        ("500", False, True, "500"),
        ("html", False, True, "HTML page"),
        ("garbage", False, True, "whole answer"),
        ("after", False, True, "whole answer"),
    ],
)
def test_faults_are_told_by_their_words(here: Range, fault: str, permanent: bool, unknown: bool, words: str) -> None:
    here.fault(fault, times=9)
    error = refused(here.connector(), "isolate_endpoint", LAPTOP)
    assert (error.permanent, error.outcome_unknown) == (permanent, unknown)
    assert words in error.message
    assert "vision-one-key-1234" not in error.message


def test_too_many_requests_says_when_to_come_again(here: Range) -> None:
    here.fault("429", times=9)
    assert refused(here.connector(), "isolate_endpoint", LAPTOP).retry_after == 30.0
    assert here.state["commands"] == {}


def test_a_silent_product_leaves_the_outcome_unknown() -> None:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}, timeout_seconds=1) as here:
        here.fault("slow", delay=1.5)
        error = refused(here.connector(), "scan_endpoint", LAPTOP)
    assert error.outcome_unknown
    assert "too long" in error.message


def test_an_expired_token_is_told_by_the_connection_test(here: Range) -> None:
    here.account.secrets = {"token": "expired-token"}
    here.account.save()
    health = here.connector().test()
    assert not health.ok
    assert "expired" in health.message
    here.account.secrets = {"token": "good-token"}
    here.account.save()
    assert here.connector().test().ok


def test_an_unknown_endpoint_is_refused_in_the_products_words(here: Range) -> None:
    error = refused(here.connector(), "isolate_endpoint", Target("endpoint", "unknown-7"))
    assert error.permanent
    assert "unknown-7 was not found" in error.message


@pytest.mark.parametrize("target", [Target("endpoint", " "), Target("file", "C:\\a.exe")])
def test_without_an_endpoint_nothing_is_sent(here: Range, target: Target) -> None:
    capability = "isolate_endpoint" if target.kind == "endpoint" else "collect_file"
    assert "endpoint" in refused(here.connector(), capability, target).message
    assert not Attempt.objects.exists()


def test_a_capability_it_lacks(here: Range) -> None:
    assert refused(here.connector(), "revoke_cloud_access", LAPTOP).permanent


def test_it_names_only_capabilities_that_there_are(here: Range) -> None:
    assert here.connector().serves <= CAPABILITIES.keys()
    assert here.connector().repeatable <= here.connector().serves


def test_isolating_goes_from_queued_to_done(here: Range) -> None:
    connector = here.connector()
    first = connector.perform("isolate_endpoint", LAPTOP, {}, key=KEY)
    assert (first.state, first.remote) == ("accepted", "")
    assert here.state["endpoints"] == {}
    last, words = finish(connector, "isolate_endpoint", first)
    assert words == ["queued", "running", "succeeded"]
    assert last.state == "done"
    assert here.state["endpoints"]["lt-221"]["isolated"] is True
    restored, _ = finish(connector, "restore_endpoint", connector.perform("restore_endpoint", LAPTOP, {}, key="k2"))
    assert (restored.state, here.state["endpoints"]["lt-221"]["isolated"]) == ("done", False)


def test_the_same_command_twice_is_one_task(here: Range) -> None:
    connector = here.connector()
    first = connector.perform("isolate_endpoint", LAPTOP, {}, key=KEY)
    again = connector.perform("isolate_endpoint", LAPTOP, {}, key=KEY)
    assert again.reference == first.reference
    assert here.state["duplicates"] == 1
    assert here.state["commands"] == {f"Soar [{KEY}]": 1}


@pytest.mark.parametrize(("end", "state"), [("failed", "failed"), ("rejected", "rejected"), ("canceled", "cancelled")])
def test_the_ends_that_are_no_success(here: Range, end: str, state: str) -> None:
    here.state["next"] = [end]
    connector = here.connector()
    last, _ = finish(connector, "isolate_endpoint", connector.perform("isolate_endpoint", LAPTOP, {}, key=KEY))
    assert (last.state, last.remote) == (state, end)
    assert last.message
    assert here.state["effects"] == {}


def test_an_approval_at_the_product_is_waited_for(here: Range) -> None:
    here.state["next"] = ["pendingApproval"]
    connector = here.connector()
    first = connector.perform("isolate_endpoint", LAPTOP, {}, key=KEY)
    asked = connector.poll("isolate_endpoint", first.reference)
    assert (asked.state, asked.remote) == ("accepted", "pendingApproval")


def test_a_lost_answer_is_found_again_by_the_key(here: Range) -> None:
    connector = here.connector()
    for number in range(45):  # more than two pages of others
        connector.perform("isolate_endpoint", Target("endpoint", f"pc-{number}"), {}, key=f"other-{number}")
        if number == 2:
            with here.losing("/isolate"):
                assert refused(connector, "isolate_endpoint", LAPTOP).outcome_unknown
    found = connector.recall("isolate_endpoint", LAPTOP, key=KEY)
    assert found is not None
    assert finish(connector, "isolate_endpoint", found)[0].state == "done"
    assert here.state["commands"][f"Soar [{KEY}]"] == 1


def test_a_command_that_never_arrived_is_not_found(here: Range) -> None:
    connector = here.connector()
    connector.perform("isolate_endpoint", LAPTOP, {}, key=f"{KEY}0")
    assert connector.recall("isolate_endpoint", LAPTOP, key=KEY) is None


def test_a_task_that_is_not_there_yet_is_asked_for_again(here: Range) -> None:
    with pytest.raises(ConnectorError) as caught:
        here.connector().poll("isolate_endpoint", "00000099")
    assert not caught.value.permanent


def test_a_preview_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    (request,) = connector.requests("isolate_endpoint", Target("endpoint", "lt", {"guid": "g-1"}), {})
    assert request["method"] == "POST"
    assert request["url"].endswith("/v3.0/response/endpoints/isolate")
    assert request["body"][0]["agentGuid"] == "g-1"
    assert "vision-one-key-1234" not in json.dumps(request)
    assert not Attempt.objects.exists()
    assert here.state["tasks"] == {}
