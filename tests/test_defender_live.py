"""Live response of Defender over HTTP against the stand-in: files fetched, scripts run."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.defender.connector import Defender as Connector
from soar.connectors.models import Attempt
from soar.standins.defender import Defender
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRET = "defender-secret-98765"
APP: dict[str, Any] = {"tenant": "tenant.example.com", "client_id": "app-1", "live_response": True}
LAPTOP = Target("endpoint", "lt-0042")
PATH = "C:\\Users\\Public\\evil.exe"
FILE = Target("file", PATH, {"endpoint": "lt-0042"})
SCRIPT = "Get-Process | Stop-Process"
BOTH = [("collect_file", FILE), ("run_script", LAPTOP)]


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Defender(), {"client_secret": SECRET}, **APP) as found:
        yield found


def script(text: str = SCRIPT, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = {"script": "clean.ps1", "file_name": "clean.ps1", "text": text, "language": "powershell", "sha256": digest}
    return {**told, **more}


def do(here: Range, capability: str, target: Target, key: str = "t-1", **params: Any) -> Result:
    given = {**(script() if capability == "run_script" else {}), **params}
    return here.connector().perform(capability, target, given, key=key)


def failing(here: Range, capability: str, target: Target, key: str = "t-1", **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, key, **params)
    return caught.value


def followed(here: Range, capability: str, result: Result) -> Result:
    for _ in range(20):
        if result.state != "accepted":
            return result
        result = here.connector().poll(capability, result.reference)
    raise AssertionError(result)


def finished(here: Range, capability: str, target: Target, key: str = "t-1", **params: Any) -> Result:
    return followed(here, capability, do(here, capability, target, key, **params))


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "Lifetime validation failed"),
        ("403", True, "an application permission or a role is missing"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_faults_are_told_and_nothing_is_done(
    here: Range, fault: str, permanent: bool, words: str, capability: str, target: Target
) -> None:
    here.connector().test()
    here.fault(fault, times=30)
    error = failing(here, capability, target)
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert not [one for one in (SECRET, "practice-access") if one in error.message + kept]
    assert not here.state["actions"]


@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_a_token_that_ends_is_renewed_and_each_thing_done_once(here: Range, capability: str, target: Target) -> None:
    here.state["uses"] = 2
    assert finished(here, capability, target).state == "done"
    assert here.state["grants"] > 1 and list(here.state["effects"].values()) == [1]


@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_a_lost_answer_doubles_nothing(here: Range, capability: str, target: Target) -> None:
    with here.losing("/runliveresponse"):
        error = failing(here, capability, target)
    assert error.outcome_unknown and not error.permanent
    found = here.connector().recall(capability, target, key="t-1")
    assert found is not None and here.connector().recall(capability, target, key="t-2") is None
    result = followed(here, capability, found)
    assert result.state == "done" and list(here.state["effects"].values()) == [1]
    assert result.secret if capability == "collect_file" else result.data["output"]


def test_a_script_is_not_repeated_blindly(here: Range) -> None:
    assert "run_script" not in Connector.repeatable and "collect_file" in Connector.repeatable


@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_another_session_on_the_machine_is_waited_for_and_ours_is_followed(
    here: Range, capability: str, target: Target
) -> None:
    first = do(here, capability, target)
    error = failing(here, capability, target, "t-2")
    assert not error.permanent and error.retry_after == 30 and "Another live response is under way" in error.message
    assert do(here, capability, target).reference == first.reference  # the same task again
    followed(here, capability, first)
    assert finished(here, capability, target, "t-2").state == "done"


@pytest.mark.parametrize(("end", "state"), [("Failed", "failed"), ("TimeOut", "failed"), ("Cancelled", "cancelled")])
@pytest.mark.parametrize(("capability", "target"), BOTH)
def test_how_it_can_end(here: Range, end: str, state: str, capability: str, target: Target) -> None:
    here.state["next"] = [end]
    assert finished(here, capability, target).state == state
    assert not here.state["effects"]


def test_a_machine_that_is_off_stays_pending(here: Range) -> None:
    here.state["next"] = ["Pending"]
    taken = do(here, "run_script", LAPTOP)
    polled = [here.connector().poll("run_script", taken.reference) for _ in range(5)]
    assert {(one.state, one.remote) for one in polled} == {("accepted", "Pending")}


def test_a_file_is_fetched_and_each_who_asks_gets_a_link_of_the_moment(here: Range) -> None:
    result = finished(here, "collect_file", FILE)
    assert result.data == {"file": {"path": PATH}} and "signature" not in repr(result.data) + result.message
    old = result.secret["location"]
    shown = here.connector().revealed("collect_file", result.reference, result.secret)
    assert shown["location"] != old
    with urllib.request.urlopen(shown["location"]) as answer:
        assert answer.read() == b"MZ what was collected"
    assert "signature" not in json.dumps(list(Attempt.objects.values_list("request", "response", "error")))


def test_a_file_that_is_not_there_is_said_by_the_machine(here: Range) -> None:
    result = finished(here, "collect_file", Target("file", "C:\\missing.exe", {"endpoint": "lt-0042"}))
    assert (result.state, result.message) == ("failed", "The machine says: The file was not found")


@pytest.mark.parametrize("path", ["\\\\server\\share\\a.exe", "a.exe", ""])
def test_a_path_that_is_none_is_refused_before_anything_is_sent(here: Range, path: str) -> None:
    assert failing(here, "collect_file", Target("file", path, {"endpoint": "lt-0042"})).permanent
    assert not Attempt.objects.exists()


def test_a_script_is_brought_once_and_its_output_kept(here: Range) -> None:
    result = finished(here, "run_script", LAPTOP, parameters="-Force")
    assert (result.state, result.data) == ("done", {"output": "done\n"})
    assert finished(here, "run_script", LAPTOP, "t-2").state == "done"
    assert here.state["library"]["clean.ps1"]["text"] == SCRIPT and len(here.state["library"]) == 1
    assert here.state["effects"] == {"RunScript clean.ps1 -Force lt-0042": 1, "RunScript clean.ps1 lt-0042": 1}
    fetch = Attempt.objects.filter(operation="collected_file.fetch").first()
    assert fetch is not None and "authorization" not in str(fetch.request).lower()


def test_a_script_that_ends_with_an_error_has_failed(here: Range) -> None:
    here.state["scripted"] = [3, "half\n", "It broke\n"]
    result = finished(here, "run_script", LAPTOP)
    assert (result.state, result.message) == ("failed", "The script ended with 3. It broke")
    assert result.data == {"output": "half\n", "errors": "It broke\n", "exit_code": 3}


def test_one_of_that_name_with_other_content_is_left_alone(here: Range) -> None:
    here.state["library"]["clean.ps1"] = {"sha256": "0" * 64, "text": "Another one"}
    finished(here, "run_script", LAPTOP)
    assert here.state["library"]["clean.ps1"]["text"] == "Another one"
    (ours,) = [name for name in here.state["library"] if name != "clean.ps1"]
    assert ours.startswith("clean-") and here.state["library"][ours]["text"] == SCRIPT


def test_a_lost_upload_is_no_unknown_run(here: Range) -> None:
    with here.losing("/libraryfiles"):
        error = failing(here, "run_script", LAPTOP)
    assert not error.outcome_unknown and not error.permanent
    assert finished(here, "run_script", LAPTOP).state == "done" and len(here.state["library"]) == 1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"sha256": "0" * 64}, "not what was approved"),
        ({"text": ""}, "no text of the script"),
        ({"parameters": "x" * 8001}, "8,000"),
        ({"script": "", "file_name": ""}, "No script is named"),
    ],
)
def test_a_script_that_is_not_right_is_refused_before_anything_is_sent(
    here: Range, params: dict[str, Any], words: str
) -> None:
    error = failing(here, "run_script", LAPTOP, **params)
    assert error.permanent and words in error.message and not Attempt.objects.exists()


def test_a_rehearsal_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    file = connector.requests("collect_file", FILE, {})[-1]
    assert file["body"]["Commands"][0]["params"] == [{"key": "Path", "value": PATH}]
    run = connector.requests("run_script", LAPTOP, script())
    assert [one["method"] for one in run] == ["GET", "GET", "POST"]
    assert not Attempt.objects.exists() and not here.state["grants"]


def test_without_the_setting_it_is_not_offered_and_no_permission_asked_for(here: Range) -> None:
    assert {"collect_file", "run_script"} == Connector.offers({"live_response": True}) - Connector.offers({})
    here.state["roles"] = ["Machine.Read.All", "Machine.Isolate", "Machine.Scan"]
    message = here.connector().test().message
    assert "The app lacks: Machine.LiveResponse (live response), Library.Manage (scripts of live response)." in message
    here.account.settings["live_response"] = False
    here.account.save()
    assert "lacks" not in here.connector().test().message
