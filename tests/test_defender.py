"""Defender for Endpoint over HTTP against the stand-in: machine actions are polled, none is doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.defender.connector import Defender as Connector
from soar.connectors.microsoft.signing_in import place
from soar.connectors.models import Attempt
from soar.standins.defender import Defender
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRET = "defender-secret-98765"
APP = {"tenant": "tenant.example.com", "client_id": "app-1"}
LAPTOP = Target("endpoint", "LT-0042")


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Defender(), {"client_secret": SECRET}, **APP) as found:
        yield found


def do(here: Range, capability: str, target: Target = LAPTOP, key: str = "t-1") -> Result:
    return here.connector().perform(capability, target, {}, key=key)


def failing(here: Range, capability: str, target: Target = LAPTOP, key: str = "t-1") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, key)
    return caught.value


def finished(here: Range, capability: str, target: Target = LAPTOP, key: str = "t-1") -> Result:
    result, connector = do(here, capability, target, key), here.connector()
    for _ in range(20):
        if result.state != "accepted":
            return result
        result = connector.poll(capability, result.reference)
    raise AssertionError(result)


def isolated(here: Range) -> list[str]:
    return [one["computerDnsName"] for one in here.state["machines"].values() if one["isolated"]]


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "Lifetime validation failed"),
        ("403", True, "Machine.Isolate"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
def test_faults_are_told_and_nothing_secret_is_kept(here: Range, fault: str, permanent: bool, words: str) -> None:
    here.connector().test()
    here.fault(fault, times=20)
    error = failing(here, "isolate_endpoint")
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert SECRET not in error.message + kept and "practice-access" not in kept and not here.state["actions"]


def test_isolation_is_accepted_then_done_and_taken_back(here: Range) -> None:
    taken = do(here, "isolate_endpoint")
    assert (taken.state, taken.remote) == ("accepted", "Pending") and not isolated(here)
    seen = [here.connector().poll("isolate_endpoint", taken.reference).remote for _ in range(3)]
    assert seen == ["Pending", "InProgress", "Succeeded"] and isolated(here) == ["lt-0042"]
    assert finished(here, "restore_endpoint", key="t-2").state == "done" and not isolated(here)
    assert here.state["effects"] == {"Isolate lt-0042": 1, "Unisolate lt-0042": 1}


def test_a_machine_that_is_isolated_already_is_not_isolated_again(here: Range) -> None:
    """There a second isolation stays pending and comes true when the first is lifted."""
    finished(here, "isolate_endpoint")
    again = do(here, "isolate_endpoint", key="t-2")
    assert (again.state, "isolated already" in again.message) == ("done", True)
    assert len(here.state["actions"]) == 1
    finished(here, "restore_endpoint", key="t-3")
    assert "not isolated any more" in do(here, "restore_endpoint", key="t-4").message
    assert finished(here, "isolate_endpoint", key="t-5").remote == "Succeeded"
    assert here.state["effects"]["Isolate lt-0042"] == 2


def test_an_action_under_way_is_taken_for_ours(here: Range) -> None:
    first = do(here, "scan_endpoint")
    second = do(here, "scan_endpoint", key="t-2")
    assert second.reference == first.reference and "under way already" in second.message
    assert len(here.state["actions"]) == 1


def test_one_that_somebody_was_quicker_with_is_found(here: Range) -> None:
    """It is not in the list that is looked at before, and refuses ours (400, ActiveRequestAlreadyExists)."""
    first = do(here, "isolate_endpoint")
    here.state["late"] = 1
    found = do(here, "isolate_endpoint", key="t-2")
    assert found.reference == first.reference and len(here.state["actions"]) == 1
    here.state["late"] = 2
    error = failing(here, "isolate_endpoint", key="t-3")
    assert not error.permanent and "busy" in error.message


def test_the_opposite_under_way_is_waited_for(here: Range) -> None:
    do(here, "isolate_endpoint")
    error = failing(here, "restore_endpoint", key="t-2")
    assert not error.permanent and error.retry_after == 30 and "Isolate" in error.message


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [("Failed", "failed", "-2147024891"), ("TimeOut", "failed", "in time"), ("Cancelled", "cancelled", "Not this one")],
)
def test_actions_that_come_to_nothing(here: Range, end: str, state: str, words: str) -> None:
    here.state["next"] = [end]
    result = finished(here, "isolate_endpoint")
    assert (result.state, result.remote) == (state, end) and words in result.message
    assert finished(here, "isolate_endpoint", key="t-2").state == "done" and isolated(here) == ["lt-0042"]


def test_a_machine_that_is_off_leaves_it_pending(here: Range) -> None:
    here.state["next"] = ["Pending"]
    taken = do(here, "isolate_endpoint")
    result = here.connector().poll("isolate_endpoint", taken.reference)
    assert (result.state, result.remote) == ("accepted", "Pending")
    assert here.connector().poll("isolate_endpoint", taken.reference).message.startswith("Defender holds the action")


def test_a_lost_answer_is_found_again_by_the_key_in_the_comment(here: Range) -> None:
    do(here, "scan_endpoint", Target("endpoint", "other"), "t-0")
    connector = here.connector()
    assert connector.recall("scan_endpoint", LAPTOP, key="t-1") is None
    with here.losing("Scan"):
        error = failing(here, "scan_endpoint")
    assert error.outcome_unknown and not error.permanent
    found = here.connector().recall("scan_endpoint", LAPTOP, key="t-1")
    assert found is not None and found.state == "accepted" and found.reference in here.state["actions"]
    assert here.connector().recall("scan_endpoint", LAPTOP, key="t-9") is None


def test_an_unknown_machine_is_refused_before_anything_is_sent(here: Range) -> None:
    error = failing(here, "isolate_endpoint", Target("endpoint", "unknown-1"))
    assert error.permanent and "knows no computer unknown-1" in error.message
    assert failing(here, "isolate_endpoint", Target("endpoint", "a' or true")).permanent
    assert not here.state["actions"]


def machine(here: Range, name: str, identity: str, seen: str) -> None:
    told = {"id": identity, "computerDnsName": name, "lastSeen": seen, "isolated": False}
    here.state["machines"][identity] = told


def test_of_several_machines_of_a_name_the_one_in_use_is_meant(here: Range) -> None:
    machine(here, "lt-0042.corp.example", "a" * 40, "2026-03-01T10:00:00.1234567Z")
    machine(here, "lt-0042.corp.example", "b" * 40, "2026-11-20T10:00:00Z")
    machine(here, "lt-00421.corp.example", "c" * 40, "2026-11-20T10:00:00Z")
    assert do(here, "isolate_endpoint").data["machine"] == "b" * 40
    machine(here, "lt-0042.corp.example", "d" * 40, "2026-11-20T09:00:00Z")
    error = failing(here, "scan_endpoint")
    assert error.permanent and "b" * 40 in error.message and "d" * 40 in error.message
    told = Target("endpoint", "LT-0042", {"guid": "d" * 40})
    assert do(here, "scan_endpoint", told).data["machine"] == "d" * 40


def test_the_guid_of_another_product_is_no_machine_id(here: Range) -> None:
    told = Target("endpoint", "LT-0042", {"guid": "35f7c4b1-3b6a-4f0e-9c0a-b2f1e0c1d2e3"})
    assert do(here, "isolate_endpoint", told).data["name"] == "lt-0042"


def test_how_it_isolates_and_scans_are_settings(here: Range) -> None:
    here.account.settings |= {"isolation": "Selective", "scan": "Full"}
    here.account.save()
    shown = [here.connector(dry_run=True).requests(one, LAPTOP, {}) for one in ("isolate_endpoint", "scan_endpoint")]
    assert [one[-1]["body"] for one in shown] == [
        {"Comment": "Soar [key of the task]", "IsolationType": "Selective"},
        {"Comment": "Soar [key of the task]", "ScanType": "Full"},
    ]
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("url", "sign_in", "scope"),
    [
        ("https://api.security.microsoft.com", "https://login.microsoftonline.com", "api.securitycenter.microsoft.com"),
        (
            "https://eu.api.security.microsoft.com",
            "https://login.microsoftonline.com",
            "api.securitycenter.microsoft.com",
        ),
        (
            "https://api-gov.securitycenter.microsoft.us",
            "https://login.microsoftonline.us",
            "api-gov.securitycenter.microsoft.us",
        ),
    ],
)
def test_each_cloud_has_its_own_sign_in(here: Range, url: str, sign_in: str, scope: str) -> None:
    here.account.settings["url"] = url
    connector = Connector(here.account)
    assert (place(url), connector.resource()) == (sign_in, f"https://{scope}")


def test_the_test_of_the_connection(here: Range) -> None:
    here.state["roles"] = ["Machine.Read.All", "Machine.Scan"]
    health = here.connector().test()
    assert health.ok and "lacks: Machine.Isolate (isolating and releasing)" in health.message
