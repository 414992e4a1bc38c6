"""CrowdStrike Falcon over HTTP against the stand-in: tokens, limits, errors inside of good answers."""

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
LAPTOP = Target("endpoint", "LT-0042")
SHA = "ab" * 32
FILE = Target("hash", SHA, {"type": "sha256"})


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(CrowdStrike(), SECRETS) as found:
        yield found


def do(here: Range, capability: str, target: Target = LAPTOP, key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=key)


def failing(here: Range, capability: str, target: Target = LAPTOP, **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, **params)
    return caught.value


def finished(here: Range, capability: str, key: str = "t-1") -> Result:
    result, connector = do(here, capability, key=key), here.connector()
    for _ in range(20):
        if result.state != "accepted":
            return result
        result = connector.poll(capability, result.reference)
    raise AssertionError(result)


def indicators(here: Range) -> list[dict[str, Any]]:
    return list(here.state["indicators"].values())


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
@pytest.mark.parametrize(("capability", "target"), [("isolate_endpoint", LAPTOP), ("block", FILE)])
def test_faults_are_told_and_nothing_secret_is_kept(
    here: Range, fault: str, permanent: bool, words: str, capability: str, target: Target
) -> None:
    here.connector().test()
    here.fault(fault, times=20)
    error = failing(here, capability, target)
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert not [one for one in (*SECRETS.values(), "practice-falcon") if one in error.message + kept]
    assert not here.state["calls"]


def test_wrong_credentials_and_the_wrong_cloud_are_said(here: Range) -> None:
    here.account.secrets = {**SECRETS, "client_secret": "wrong"}
    here.account.save()
    health = here.connector().test()
    assert not health.ok and "gives no access token (access denied, invalid client)" in health.message
    here.state["region"] = "eu-1"
    error = failing(here, "isolate_endpoint")
    assert error.permanent and "another cloud" in error.message


def test_after_a_429_it_is_asked_at_the_moment_that_falcon_tells(here: Range) -> None:
    here.connector().test()
    here.fault("429", times=20)
    wait = failing(here, "isolate_endpoint").retry_after
    assert wait is not None and 0 < wait <= 45


def test_a_token_that_ends_is_renewed_and_each_call_made_once(here: Range) -> None:
    here.state["uses"] = 2
    assert finished(here, "isolate_endpoint").state == "done"
    assert here.state["grants"] > 1 and here.state["calls"]["contain"] == 1


def test_containment_is_accepted_then_done_and_lifted(here: Range) -> None:
    taken = do(here, "isolate_endpoint")
    assert (taken.state, taken.data["before"]) == ("accepted", "normal")
    polled = [here.connector().poll("isolate_endpoint", taken.reference) for _ in range(2)]
    assert [(one.state, one.remote) for one in polled] == [("accepted", "containment_pending"), ("done", "contained")]
    assert finished(here, "restore_endpoint", "t-2").remote == "normal"
    assert here.state["calls"] == {"contain": 1, "lift_containment": 1, "contained lt-0042": 1, "normal lt-0042": 1}


def test_what_is_so_already_is_not_asked_for_again(here: Range) -> None:
    here.state["polls"] = 3
    do(here, "isolate_endpoint")
    assert do(here, "isolate_endpoint", key="t-2").state == "accepted"  # pending: it is waited for
    assert here.state["calls"]["contain"] == 1
    finished(here, "isolate_endpoint", "t-3")
    assert "Nothing was to be done" in do(here, "isolate_endpoint", key="t-4").message
    assert here.state["calls"]["contain"] == 1


def test_a_host_whose_sensor_is_off_stays_pending(here: Range) -> None:
    here.state["polls"] = -1
    taken = do(here, "isolate_endpoint")
    result = here.connector().poll("isolate_endpoint", taken.reference)
    assert (result.state, result.remote) == ("accepted", "containment_pending")
    here.state["hosts"].clear()
    with pytest.raises(ConnectorError) as caught:
        here.connector().poll("isolate_endpoint", taken.reference)
    assert not caught.value.permanent


def test_errors_inside_of_a_good_answer_are_errors(here: Range) -> None:
    here.state["inside"] = [{"code": 404, "message": "No matching found for the ID"}]
    error = failing(here, "isolate_endpoint")
    assert error.permanent and "No matching found" in error.message and error.status == 404
    here.state["inside"] = [{"code": 500, "message": "Internal error"}]
    error = failing(here, "isolate_endpoint")
    assert not error.permanent and error.outcome_unknown
    here.state["inside"] = [{"code": 429, "message": "Slow down"}]
    assert not failing(here, "block", FILE).permanent
    assert not here.state["calls"]


@pytest.mark.parametrize(("capability", "target"), [("isolate_endpoint", LAPTOP), ("block", FILE)])
def test_a_lost_answer_after_acting_doubles_nothing(here: Range, capability: str, target: Target) -> None:
    here.state["polls"] = 5
    with here.losing("devices-actions/v2", "entities/indicators/v1"):
        error = failing(here, capability, target)
    assert error.outcome_unknown and not error.permanent and capability in Connector.repeatable
    found = here.connector().recall(capability, target, key="t-1")
    assert (found.state if found else "") == ("accepted" if capability == "isolate_endpoint" else "")
    again = do(here, capability, target)
    assert again.state == ("accepted" if capability == "isolate_endpoint" else "done")
    assert here.state["calls"] == {"contain" if capability == "isolate_endpoint" else "create": 1}


def test_unknown_hosts_and_hosts_of_one_name(here: Range) -> None:
    error = failing(here, "isolate_endpoint", Target("endpoint", "unknown-1"))
    assert error.permanent and "knows no computer unknown-1" in error.message
    for identity, seen in (("a" * 32, "2026-03-01T10:00:00Z"), ("b" * 32, "2026-11-20T10:00:00Z")):
        here.state["hosts"][identity] = host_of(identity, "LT-0042", last_seen=seen)
    assert do(here, "isolate_endpoint").reference == "b" * 32
    here.state["hosts"]["a" * 32]["last_seen"] = "2026-11-20T09:00:00Z"
    assert "several computers" in failing(here, "restore_endpoint").message
    told = Target("endpoint", "LT-0042", {"guid": "A" * 32})
    assert do(here, "isolate_endpoint", told).reference == "a" * 32


def test_a_name_is_no_query(here: Range) -> None:
    failing(here, "isolate_endpoint", Target("endpoint", "unknown'+status:'normal"))
    asked = Attempt.objects.filter(operation="isolate_endpoint.search").values_list("request", flat=True)
    assert "unknown%5C%27%2Bstatus" in asked[0]["url"]
    assert failing(here, "isolate_endpoint", Target("endpoint", "a\nb")).permanent


def test_hosts_can_be_looked_up(here: Range) -> None:
    connector = here.connector()
    assert isinstance(connector, Connector)
    (host,) = connector.hosts("LT-0042")
    assert (host["status"], host["local_ip"]) == ("normal", "192.0.2.17")
    assert connector.hosts("unknown-1") == []


def test_a_file_is_blocked_and_its_inverse(here: Range) -> None:
    result = do(here, "block", FILE, days=7)
    (one,) = indicators(here)
    assert (one["type"], one["value"], one["action"], one["applied_globally"]) == ("sha256", SHA, "prevent", True)
    assert "Soar [t-1]" in one["description"] and one["expiration"] and "until 20" in result.message
    assert "already" in do(here, "block", FILE, key="t-2", days=3).message
    assert do(here, "unblock", FILE, key="t-3", undoes=result.data).state == "done" and not indicators(here)
    assert do(here, "unblock", FILE, key="t-4").message == "It was not on the list."


def test_a_longer_block_moves_the_end_of_a_shorter_one(here: Range) -> None:
    do(here, "block", FILE, days=1)
    before = indicators(here)[0]["expiration"]
    do(here, "block", FILE, key="t-2")
    assert indicators(here)[0]["expiration"] > before and len(indicators(here)) == 1


def put(here: Range, **fields: Any) -> None:
    one = {"id": "x", "type": "sha256", "value": SHA, "deleted": False, "expired": False, "description": "Build tool"}
    here.state["indicators"]["x"] = {**one, **fields}


def test_what_somebody_watched_is_watched_again_after_unblocking(here: Range) -> None:
    put(here, action="detect")
    result = do(here, "block", FILE)
    assert indicators(here)[0]["action"] == "prevent" and result.data["before"] == {"action": "detect"}
    do(here, "unblock", FILE, key="t-2", undoes=result.data)
    assert indicators(here)[0]["action"] == "detect"


def test_what_somebody_else_blocks_stays_blocked_after_undoing_ours(here: Range) -> None:
    put(here, action="prevent")
    result = do(here, "block", FILE)
    assert "already" in result.message
    assert "stays as it was" in do(here, "unblock", FILE, key="t-2", undoes=result.data).message
    assert indicators(here)[0]["action"] == "prevent"


def test_what_somebody_allows_is_not_turned_round(here: Range) -> None:
    put(here, action="allow")
    error = failing(here, "block", FILE)
    assert error.permanent and "is allowed by an indicator in Falcon (Build tool)" in error.message
    assert indicators(here)[0]["action"] == "allow"


def test_an_expired_indicator_is_made_to_count_again(here: Range) -> None:
    put(here, action="no_action", expired=True, expiration="2026-01-01T00:00:00Z")
    do(here, "block", FILE, days=5)
    assert indicators(here)[0]["action"] == "prevent" and indicators(here)[0]["expiration"] > "2026-02"


@pytest.mark.parametrize(
    "target",
    [
        Target("hash", "a" * 40, {"type": "sha1"}),
        Target("ip", "203.0.113.9"),
        Target("hash", "z" * 64),
        Target("hash", ""),
    ],
)
def test_what_it_cannot_block_is_refused_before_anything_is_sent(here: Range, target: Target) -> None:
    assert "SHA-256 and MD5 alone" in failing(here, "block", target).message
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("days", [0, -1, 4000, True, "soon"])
def test_days_are_checked(here: Range, days: Any) -> None:
    assert "Days must be" in failing(here, "block", FILE, days=days).message


def test_a_rehearsal_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    shown = [connector.requests(one, LAPTOP, {}) for one in ("isolate_endpoint", "restore_endpoint")]
    shown += [connector.requests(one, FILE, {}) for one in ("block", "unblock")]
    assert [one[-1]["method"] for one in shown] == ["POST", "POST", "POST", "DELETE"]
    assert "action_name=lift_containment" in shown[1][-1]["url"]
    with pytest.raises(ConnectorError):
        connector.perform("block", FILE, {}, key="t-1")
    assert not Attempt.objects.exists() and not here.state["grants"]


def test_the_test_of_the_connection(here: Range) -> None:
    assert here.connector().test().message == "Falcon takes the credentials and shows its hosts and indicators."
