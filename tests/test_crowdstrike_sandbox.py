"""Falcon's sandbox over HTTP against the stand-in: addresses, and files fetched from their host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.crowdstrike.connector import CrowdStrike as Connector
from soar.connectors.models import Attempt
from soar.standins.crowdstrike import CrowdStrike, host_of
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"client_id": "falcon-client-12345", "client_secret": "falcon-secret-98765"}
ADDRESS = Target("url", "http://bad.example/x")
FILE = Target("file", "C:\\Users\\Public\\bad.exe", {"endpoint": "lt-0042"})
BOTH = [("sandbox_url", ADDRESS), ("sandbox_file", FILE)]


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(CrowdStrike(), SECRETS, real_time_response=True, sandbox=True) as found:
        yield found


def do(here: Range, capability: str, target: Target, key: str = "t-1") -> Result:
    return here.connector().perform(capability, target, {}, key=key)


def failing(here: Range, capability: str, target: Target) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target)
    return caught.value


def followed(here: Range, capability: str, result: Result) -> Result:
    for _ in range(40):
        if result.state != "accepted":
            return result
        result = here.connector().poll(capability, result.reference)
    raise AssertionError(result)


def finished(here: Range, capability: str, target: Target, key: str = "t-1") -> Result:
    return followed(here, capability, do(here, capability, target, key))


def until_it_fails(here: Range, result: Result) -> tuple[Result, ConnectorError]:
    """How far a file got, and why it got no further."""
    for _ in range(40):
        try:
            result = here.connector().poll("sandbox_file", result.reference)
        except ConnectorError as error:
            return result, error
    raise AssertionError(result)


def file(name: str) -> Target:
    return Target("file", f"C:\\Users\\Public\\{name}", {"endpoint": "lt-0042"})


def submitted(here: Range) -> list[dict[str, Any]]:
    return [one["sandbox"][0] for one in here.state["submissions"].values()]


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "invalid bearer token"),
        ("403", True, "lacks a scope"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_faults_are_told_and_nothing_is_submitted(
    here: Range, fault: str, permanent: bool, words: str, capability: str, target: Target
) -> None:
    here.connector().test()
    here.fault(fault, times=30)
    error = failing(here, capability, target)
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert not [one for one in (*SECRETS.values(), "practice-falcon") if one in error.message + kept]
    assert not here.state["calls"]


def test_an_address_gets_a_verdict_and_the_quota_is_told(here: Range) -> None:
    taken = do(here, "sandbox_url", ADDRESS)
    assert taken.data == {"quota_remaining": 99} and "99 submissions are left this month" in taken.message
    result = followed(here, "sandbox_url", taken)
    assert (result.state, result.message) == ("done", "Sandbox: malicious (score 100).")
    assert (result.data["verdict"], result.data["environment"]) == ("malicious", "Windows 10 64 bit")
    result = finished(here, "sandbox_url", Target("domain", "odd.example"))
    assert result.data["verdict"] == "suspicious" and submitted(here)[1]["url"] == "http://odd.example/"


def test_it_runs_until_it_is_done(here: Range) -> None:
    here.state["polls"] = 3
    taken = do(here, "sandbox_url", ADDRESS)
    states = [here.connector().poll("sandbox_url", taken.reference) for _ in range(4)]
    assert [one.remote for one in states] == ["created", "running", "running", "success"]


def test_a_quota_that_is_used_up_is_no_matter_of_waiting(here: Range) -> None:
    here.state["quota"]["used"] = 100
    error = failing(here, "sandbox_url", ADDRESS)
    assert error.permanent and "quota of the sandbox is used up (100 of 100 this month)" in error.message
    result = finished(here, "sandbox_file", FILE)
    assert result.state == "failed" and "used up" in result.message


def test_an_analysis_that_breaks_and_a_kind_that_cannot_be_run(here: Range) -> None:
    result = finished(here, "sandbox_url", Target("url", "http://broken.example/"))
    assert result.state == "failed" and "The analysis broke off" in result.message
    result = finished(here, "sandbox_file", file("picture.png"), "t-2")
    assert result.state == "failed" and "format is not supported" in result.message


def test_a_file_is_fetched_unpacked_at_falcon_and_analysed(here: Range) -> None:
    result = finished(here, "sandbox_file", FILE)
    assert (result.state, result.data["verdict"]) == ("done", "malicious")
    (one,) = submitted(here)
    assert one["submit_name"] == "bad.exe" and one["sha256"] == result.data["sha256"] and one["environment_id"] == 160
    kept = json.dumps(list(Attempt.objects.values_list("request", "response")))
    assert "archive with a password" not in kept and "infected" not in kept


def test_a_file_of_a_linux_host_is_run_on_linux(here: Range) -> None:
    here.state["hosts"]["a" * 32] = host_of("a" * 32, "web-1", platform_name="Linux")
    finished(here, "sandbox_file", Target("file", "/tmp/bad", {"endpoint": "web-1"}))
    assert submitted(here)[0]["environment_id"] == 300


def test_a_file_that_falcon_has_already_is_not_fetched(here: Range) -> None:
    here.state["samples"] = ["c" * 64]
    target = Target("file", "bad.exe", {"endpoint": "lt-0042", "sha256": "C" * 64})
    result = finished(here, "sandbox_file", target)
    assert result.data["verdict"] == "malicious" and not here.state["commands"]


def test_a_file_that_is_too_large_is_not_downloaded(here: Range) -> None:
    here.state["sizes"][FILE.value] = 200 * 1024 * 1024
    result = finished(here, "sandbox_file", FILE)
    assert result.state == "failed" and "has 200 MB; to the sandbox goes at most 60 MB" in result.message
    assert not Attempt.objects.filter(operation="sandbox_file.content").exists()


def test_a_host_that_is_not_connected_and_a_file_that_is_not_there(here: Range) -> None:
    here.state["offline"] = ["lt-0042"]
    assert not failing(here, "sandbox_file", FILE).permanent
    here.state["offline"] = []
    result = finished(here, "sandbox_file", file("missing.exe"))
    assert result.state == "failed" and "Could not find file" in result.message


@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_a_lost_answer_submits_nothing_twice(here: Range, capability: str, target: Target) -> None:
    with here.losing("submissions/v1", "responder-command/v1"):
        error = failing(here, capability, target)
    assert error.outcome_unknown and capability in Connector.repeatable
    found = here.connector().recall(capability, target, key="t-1")
    assert found is not None
    assert followed(here, capability, found).state == "done"
    assert len(submitted(here)) == 1 and set(here.state["calls"].values()) == {1}


@pytest.mark.parametrize("lost", ["archives/v2", "extractions/v1", "submissions/v1"])
def test_answers_that_are_lost_on_the_way_of_a_file(here: Range, lost: str) -> None:
    result = do(here, "sandbox_file", FILE)
    with here.losing(lost):
        result, error = until_it_fails(here, result)
    assert not error.permanent
    assert followed(here, "sandbox_file", result).data["verdict"] == "malicious"
    assert len(submitted(here)) == 1 and set(here.state["calls"].values()) == {1}
    assert len(here.state["archives"]) == 1


@pytest.mark.parametrize("target", [Target("url", ""), Target("ip", "192.0.2.1"), Target("url", "http://a\nb")])
def test_what_is_no_address_is_refused_before_anything_is_sent(here: Range, target: Target) -> None:
    assert failing(here, "sandbox_url", target).permanent and not Attempt.objects.exists()


def test_a_rehearsal_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    (shown,) = connector.requests("sandbox_url", ADDRESS, {})
    assert shown["body"]["sandbox"] == [{"url": ADDRESS.value, "environment_id": 160}]
    assert connector.requests("sandbox_file", FILE, {})[-1]["body"]["base_command"] == "get"
    assert not Attempt.objects.exists()


def test_the_test_of_the_connection_names_what_is_missing(here: Range) -> None:
    assert here.connector().test().message.endswith("Open to the API client: Real Time Response, sandbox.")
    here.state["denied"] = ["falconx/", "samples/"]
    assert "lacks the scopes Sandbox (Falcon Intelligence), Sample uploads." in here.connector().test().message
