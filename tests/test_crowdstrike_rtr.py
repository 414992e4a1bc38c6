"""Real Time Response of Falcon over HTTP against the stand-in: files fetched, processes ended, scripts run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.crowdstrike.connector import CrowdStrike as Connector
from soar.connectors.crowdstrike.processes import processes_of
from soar.connectors.models import Attempt
from soar.lib import clock
from soar.standins.base import Request, Response
from soar.standins.crowdstrike import CrowdStrike, host_of
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"client_id": "falcon-client-12345", "client_secret": "falcon-secret-98765"}
LAPTOP = Target("endpoint", "lt-0042")
PATH = "C:\\Users\\Public\\evil.exe"
FILE = Target("file", PATH, {"endpoint": "lt-0042", "file_path": PATH})
EVIL = Target("process", "evil.exe", {"endpoint": "lt-0042"})
SCRIPT = "Get-Process | Stop-Process"
TARGETS = {"collect_file": FILE, "terminate_process": EVIL, "run_script": LAPTOP}
ALL = list(TARGETS.items())


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(CrowdStrike(), SECRETS, real_time_response=True) as found:
        yield found


def script(text: str = SCRIPT, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = {"script": "clean.ps1", "file_name": "clean.ps1", "text": text, "language": "powershell", "sha256": digest}
    return {**told, **more}


def do(here: Range, capability: str, target: Target | None = None, key: str = "t-1", **params: Any) -> Result:
    given = {**(script() if capability == "run_script" else {}), **params}
    return here.connector().perform(capability, target or TARGETS[capability], given, key=key)


@contextmanager
def refusing(here: Range, ending: str) -> Iterator[None]:
    """Calls of this path are answered 429, and nothing is done."""
    serve = here.standin.serve

    def busy(request: Request) -> Response:
        if request.path.endswith(ending):
            here.fault("429")
        return serve(request)

    here.standin.serve = busy  # type: ignore[method-assign]
    try:
        yield
    finally:
        here.standin.serve = serve  # type: ignore[method-assign]


def failing(here: Range, capability: str, target: Target | None = None, **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, **params)
    return caught.value


def followed(here: Range, capability: str, result: Result) -> Result:
    """Asked for until it has ended, each time by a new connector as a worker does."""
    for _ in range(30):
        if result.state != "accepted":
            return result
        result = here.connector().poll(capability, result.reference)
    raise AssertionError(result)


def finished(here: Range, capability: str, target: Target | None = None, **params: Any) -> Result:
    return followed(here, capability, do(here, capability, target, **params))


def ran(here: Range) -> dict[str, int]:
    """What was really done on hosts."""
    return {name: number for name, number in here.state["calls"].items() if name != "script brought"}


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
@pytest.mark.parametrize(("capability", "target"), ALL)
def test_faults_are_told_and_nothing_is_done(
    here: Range, fault: str, permanent: bool, words: str, capability: str, target: Target
) -> None:
    here.connector().test()
    here.fault(fault, times=30)
    error = failing(here, capability, target)
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert not [one for one in (*SECRETS.values(), "practice-falcon") if one in error.message + kept]
    assert not here.state["calls"] and not here.state["commands"]


@pytest.mark.parametrize(("capability", "target"), ALL)
def test_a_host_that_is_not_connected_gets_nothing_not_even_later(here: Range, capability: str, target: Target) -> None:
    here.state["offline"] = ["lt-0042"]
    error = failing(here, capability, target)
    assert not error.permanent and not error.outcome_unknown and error.retry_after
    assert "not connected to Falcon now; nothing was sent" in error.message
    here.state["offline"] = []
    assert not here.state["commands"] and not here.state["scripts"]
    assert finished(here, capability, target).state == "done"


@pytest.mark.parametrize(("capability", "target"), ALL)
def test_a_token_that_ends_is_renewed_and_each_thing_done_once(here: Range, capability: str, target: Target) -> None:
    here.state["uses"] = 2
    assert finished(here, capability, target).state == "done"
    assert here.state["grants"] > 2 and set(ran(here).values()) == {1}


@pytest.mark.parametrize(("capability", "target"), ALL)
def test_a_lost_answer_doubles_nothing(here: Range, capability: str, target: Target) -> None:
    with here.losing("responder-command/v1", "admin-command/v1", "entities/command/v1"):
        error = failing(here, capability, target)
    assert error.outcome_unknown and not error.permanent
    found = here.connector().recall(capability, target, key="t-1")
    if found is None:  # as for a list of processes, which harms nothing
        assert capability in Connector.repeatable
        found = do(here, capability, target)
    assert followed(here, capability, found).state == "done"
    assert set(ran(here).values()) == {1}


def test_a_script_whose_answer_was_lost_is_found_by_its_task_alone(here: Range) -> None:
    assert "run_script" not in Connector.repeatable
    finished(here, "run_script", key="t-0")
    assert here.connector().recall("run_script", LAPTOP, key="t-1") is None


@pytest.mark.parametrize(
    ("end", "words"), [("timeout", "did not finish in time"), ("refused", "Access to the path is denied")]
)
@pytest.mark.parametrize(("capability", "target"), ALL)
def test_what_the_host_says_of_a_failure_is_told(
    here: Range, end: str, words: str, capability: str, target: Target
) -> None:
    here.state["next"] = [end]
    result = finished(here, capability, target)
    assert result.state == "failed" and words in result.message
    assert not ran(here)


@pytest.mark.parametrize(("capability", "target"), ALL)
def test_a_command_that_is_never_done_stays_accepted_and_its_session_alive(
    here: Range, capability: str, target: Target
) -> None:
    here.state["next"] = ["never"]
    result = do(here, capability, target)
    for _ in range(5):
        result = here.connector().poll(capability, result.reference)
    assert result.state == "accepted" and not ran(here)
    assert Attempt.objects.filter(operation=f"{capability}.refresh").count() == 5


def test_a_failed_question_says_nothing_of_the_task(here: Range) -> None:
    taken = do(here, "run_script")
    for fault in ("429", "500", "html", "before"):
        here.fault(fault, times=9)
        with pytest.raises(ConnectorError) as caught:
            here.connector().poll("run_script", taken.reference)
        assert not caught.value.permanent
        here.standin._faults.clear()
    assert followed(here, "run_script", taken).state == "done"
    assert set(ran(here).values()) == {1}


def test_a_file_is_fetched_and_its_password_shown_to_who_asks(here: Range) -> None:
    taken = do(here, "collect_file")
    words = [here.connector().poll("collect_file", taken.reference).remote for _ in range(3)]
    assert words == ["sent", "uploading", "complete"]
    result = followed(here, "collect_file", taken)
    assert result.data["file"]["path"] == PATH and len(result.data["file"]["sha256"]) == 64
    assert result.secret == {"password": "infected"} and "infected" not in repr(result.data) + result.message
    assert ran(here) == {f"get {PATH}": 1}


@pytest.mark.parametrize("path", ["\\\\server\\share\\a.exe", "a.exe", "", 'C:\\a" & del.exe', "C:\\a\nb"])
def test_a_path_that_is_none_is_refused_before_anything_is_sent(here: Range, path: str) -> None:
    assert failing(here, "collect_file", Target("file", path, {"endpoint": "lt-0042"})).permanent
    assert not Attempt.objects.exists()


def test_a_path_too_long_to_be_followed_is_refused_before_anything_is_sent(here: Range) -> None:
    error = failing(here, "collect_file", path=f"C:\\{'a' * 1000}")
    assert error.permanent and "more than 800 characters" in error.message and not here.state["commands"]
    longest = do(here, "collect_file", path=f"C:\\{'a' * 797}")
    assert len(longest.reference) <= 1000 and followed(here, "collect_file", longest).state == "done"


def test_the_file_of_another_task_is_not_taken_for_its_own(here: Range) -> None:
    first = finished(here, "collect_file", key="t-0")
    assert first.state == "done"
    with refusing(here, "responder-command/v1"):
        failing(here, "collect_file")
    assert here.connector().recall("collect_file", FILE, key="t-1") is None
    assert here.connector().recall("collect_file", FILE, key="never sent") is None


def test_the_path_of_the_author_is_found_again_after_a_lost_answer(here: Range) -> None:
    finished(here, "collect_file")
    other = "C:\\Tools\\other.exe"
    with here.losing("responder-command/v1"):
        failing(here, "collect_file", key="t-2", path=other)
    found = here.connector().recall("collect_file", FILE, key="t-2")
    assert found is not None
    assert followed(here, "collect_file", found).data["file"]["path"] == other
    assert ran(here) == {f"get {PATH}": 1, f"get {other}": 1}


def test_a_file_that_is_not_there(here: Range) -> None:
    target = Target("file", "C:\\missing.exe", {"endpoint": "lt-0042"})
    result = finished(here, "collect_file", target)
    assert result.state == "failed" and "Could not find file" in result.message


def test_every_process_of_the_program_is_ended_and_no_other(here: Range) -> None:
    result = finished(here, "terminate_process")
    assert result.message == "Ended: evil.exe (processes 5120, 6004)."
    assert ran(here) == {"kill 5120 lt-0042": 1, "kill 6004 lt-0042": 1}
    assert [one[1] for one in here.state["processes"]["lt-0042"]] == ["System", "csrss", "a 7 b"]
    again = finished(here, "terminate_process", key="t-2")
    assert again.state == "done" and "Nothing was to be done" in again.message


def test_a_path_that_is_known_has_to_be_the_very_one(here: Range) -> None:
    here.state["processes"]["lt-0042"] = [[11, "evil", "C:\\Program Files\\Good\\evil.exe"], [12, "evil", PATH]]
    target = Target("process", "evil.exe", {"endpoint": "lt-0042", "file_path": PATH.upper()})
    assert finished(here, "terminate_process", target).message == "Ended: EVIL.EXE (process 12)."
    assert [one[0] for one in here.state["processes"]["lt-0042"]] == [11]


def test_names_with_spaces_and_numbers_are_told_apart(here: Range) -> None:
    target = Target("process", "a 7 b.exe", {"endpoint": "lt-0042"})
    assert "process 4816" in finished(here, "terminate_process", target).message


def test_a_long_list_comes_in_pieces(here: Range) -> None:
    here.state["pieces"] = 4
    assert "5120, 6004" in finished(here, "terminate_process").message


def test_the_answer_to_ending_one_is_lost(here: Range) -> None:
    result = do(here, "terminate_process")
    here.connector().poll("terminate_process", result.reference)
    with here.losing("responder-command/v1"), pytest.raises(ConnectorError):
        here.connector().poll("terminate_process", result.reference)
    assert "5120, 6004" in followed(here, "terminate_process", result).message
    lines = [one["command_string"] for session in here.state["sessions"].values() for one in session["logs"]]
    assert lines == ["ps", "kill 5120", "ps", "kill 6004", "ps"]


def test_a_number_that_is_another_process_now_is_left_alone(here: Range) -> None:
    result = do(here, "terminate_process")
    while "|kill|" not in f"|{result.reference}":
        result = here.connector().poll("terminate_process", result.reference)
    here.state["processes"]["lt-0042"] = [[5120, "evil", PATH], [6004, "good", "C:\\Tools\\good.exe"]]
    assert followed(here, "terminate_process", result).message == "Ended: evil.exe (process 5120)."
    assert ran(here) == {"kill 5120 lt-0042": 1}


def test_a_list_that_has_grown_old_is_made_anew(here: Range) -> None:
    result = do(here, "terminate_process")
    result = here.connector().poll("terminate_process", result.reference)
    with refusing(here, "sessions/GET/v1"), pytest.raises(ConnectorError):  # the list is made; nothing is ended yet
        here.connector().poll("terminate_process", result.reference)
    here.state["processes"]["lt-0042"] = [[5120, "good", "C:\\Tools\\good.exe"], [7000, "evil", PATH]]
    with clock.at(clock.now() + timedelta(minutes=2)):
        result = here.connector().poll("terminate_process", result.reference)
        assert not ran(here)
        result = followed(here, "terminate_process", result)
    assert result.message == "Ended: evil.exe (process 7000)." and ran(here) == {"kill 7000 lt-0042": 1}


def test_a_process_that_does_not_end_is_no_success(here: Range) -> None:
    here.state["undying"] = [5120]
    result = finished(here, "terminate_process")
    assert result.state == "failed" and "Process 5120 of evil.exe still runs" in result.message
    assert ran(here) == {"kill 5120 lt-0042": 3}


def test_a_process_whose_path_is_not_told_is_no_success(here: Range) -> None:
    here.state["processes"]["lt-0042"] = [[11, "evil", ""]]
    target = Target("process", PATH, {"endpoint": "lt-0042"})
    result = finished(here, "terminate_process", target)
    assert result.state == "failed" and "does not tell its path: nothing was ended" in result.message
    assert not ran(here)


@pytest.mark.parametrize(
    ("wanted", "line", "state"),
    [
        ("/opt/my app/evil", "/opt/my app/evil -d", "done"),
        ("/opt/my app/evil", "/opt/my app/evil", "done"),
        ("/opt/x/evil", "./evil -d", "failed"),
        ("/opt/x/evil", "[evil]", "failed"),
    ],
)
def test_programs_of_linux(here: Range, wanted: str, line: str, state: str) -> None:
    here.state["hosts"]["a" * 32] = host_of("a" * 32, "web-1", platform_name="Linux")
    here.state["processes"]["web-1"] = [[1, "/sbin/init splash", ""], [8, "[evil] <defunct>", ""], [9, line, ""]]
    result = finished(here, "terminate_process", Target("process", wanted, {"endpoint": "web-1"}))
    assert (result.state, bool(ran(here))) == (state, state == "done")
    assert ("Ended: evil (process 9)" if state == "done" else "does not tell its path") in result.message


def test_a_program_whose_path_is_too_long_is_refused_before_anything_is_sent(here: Range) -> None:
    target = Target("process", f"C:\\{'a' * 400}\\evil.exe", {"endpoint": "lt-0042"})
    assert failing(here, "terminate_process", target).permanent and not Attempt.objects.exists()


def test_one_that_ended_by_itself_is_no_failure_and_one_that_resists_is(here: Range) -> None:
    result = do(here, "terminate_process")
    while "|kill|" not in f"|{result.reference}":
        result = here.connector().poll("terminate_process", result.reference)
    here.state["processes"]["lt-0042"] = []
    assert followed(here, "terminate_process", result).state == "done"
    here.state["processes"].clear()
    here.state["next"] = ["done", "refused"]
    result = finished(here, "terminate_process", key="t-2")
    assert result.state == "failed" and "Process 5120 of evil.exe was not ended: Access" in result.message


@pytest.mark.parametrize(
    "name", ["lsass.exe", "CSRSS", "C:\\Windows\\System32\\svchost.exe", "CSFalconService", "systemd"]
)
def test_what_a_host_does_not_run_without_is_not_ended(here: Range, name: str) -> None:
    error = failing(here, "terminate_process", Target("process", name, {"endpoint": "lt-0042"}))
    assert error.permanent and "does not run without" in error.message
    assert not Attempt.objects.exists()


def test_a_program_that_only_is_called_so_is_ended(here: Range) -> None:
    path = "C:\\Users\\Public\\svchost.exe"
    here.state["processes"]["lt-0042"] = [[7, "svchost", ""], [8, "svchost", path]]
    target = Target("process", path, {"endpoint": "lt-0042"})
    assert "process 8" in finished(here, "terminate_process", target).message


def test_too_many_are_not_ended(here: Range) -> None:
    here.state["processes"]["lt-0042"] = [[100 + number, "evil", ""] for number in range(51)]
    result = finished(here, "terminate_process")
    assert result.state == "failed" and "51 processes" in result.message and not ran(here)


def test_lists_of_processes() -> None:
    unix = "  PID USER     CMD\n    1 root     /sbin/init splash\n  812 www      /opt/x/evil -d\n"
    assert [(one.pid, one.name, one.path) for one in processes_of(unix)] == [
        (1, "init", "/sbin/init"),
        (812, "evil", "/opt/x/evil"),
    ]
    with pytest.raises(ConnectorError, match="form that is not known"):
        processes_of("Nothing to see here")


def test_a_script_goes_up_for_its_task_runs_once_and_is_taken_off(here: Range) -> None:
    result = do(here, "run_script", parameters="-Force")
    (kept,) = here.state["scripts"].values()
    assert (kept["text"], kept["platform"]) == (SCRIPT, "windows") and kept["name"].startswith("soar-")
    result = followed(here, "run_script", result)
    assert (result.state, result.data) == ("done", {"output": "done\n"})
    assert not here.state["scripts"] and ran(here) == {f"ran {SCRIPT}-Force": 1}


def test_what_a_script_writes_to_errors_is_a_failure_and_both_are_kept(here: Range) -> None:
    here.state["scripted"] = ["half\n", "It broke\n"]
    result = finished(here, "run_script")
    assert (result.state, result.data) == ("failed", {"output": "half\n", "errors": "It broke\n"})
    assert "It broke" in result.message and not here.state["scripts"]


def test_what_no_database_holds_is_taken_out_of_what_a_script_writes(here: Range) -> None:
    here.state["scripted"] = ["a\x00b\ud800c\n", "bad\x00\udc00\n"]
    result = finished(here, "run_script")
    assert (result.state, result.data) == ("failed", {"output": "ab\ufffdc\n", "errors": "bad\ufffd\n"})
    assert result.message == "The script says: bad\ufffd"


def test_an_upload_that_is_there_already_is_used(here: Range) -> None:
    with here.losing("entities/scripts/v1"):
        error = failing(here, "run_script")
    assert not error.outcome_unknown and not error.permanent and len(here.state["scripts"]) == 1
    assert finished(here, "run_script").state == "done"
    assert here.state["calls"]["script brought"] == 1 and set(ran(here).values()) == {1}


def test_a_script_that_cannot_be_taken_off_again_is_said(here: Range) -> None:
    result = do(here, "run_script")
    here.connector().poll("run_script", result.reference)
    here.state["denied"] = ["queries/scripts"]
    result = followed(here, "run_script", result)
    assert result.state == "done" and result.data["left_at_falcon"].startswith("soar-")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"sha256": "0" * 64}, "not what was approved"),
        ({"text": ""}, "No script is given"),
        ({"parameters": "x" * 8001}, "8,000"),
        ({"parameters": "``` ; calc"}, "takes no parameters"),
        ({"parameters": "a\nb"}, "takes no parameters"),
    ],
)
def test_a_script_that_is_not_right_is_refused_before_anything_is_sent(
    here: Range, params: dict[str, Any], words: str
) -> None:
    error = failing(here, "run_script", **params)
    assert error.permanent and words in error.message and not Attempt.objects.exists()


def test_a_script_of_another_system_is_refused(here: Range) -> None:
    here.state["hosts"]["a" * 32] = host_of("a" * 32, "web-1", platform_name="Linux")
    linux = Target("endpoint", "web-1")
    assert "web-1 runs Linux; the script is one of PowerShell" in failing(here, "run_script", linux).message
    assert finished(here, "run_script", linux, language="bash").state == "done"
    assert failing(here, "run_script", LAPTOP, language="bash").permanent


def test_a_rehearsal_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    shown = {name: connector.requests(name, target, script()) for name, target in ALL}
    assert shown["collect_file"][-1]["body"]["command_string"] == f'get "{PATH}"'
    assert "kill" in shown["terminate_process"][-1]["body"]["command_string"]
    assert [one["url"].rpartition("/entities/")[2] for one in shown["run_script"][-2:]] == [
        "scripts/v1",
        "admin-command/v1",
    ]
    assert not Attempt.objects.exists() and not here.state["grants"]


def test_without_the_setting_it_is_not_offered() -> None:
    with practice(CrowdStrike(), SECRETS) as here:
        assert Connector.offers(here.account.settings) == {"isolate_endpoint", "restore_endpoint", "block", "unblock"}
        here.account.settings["sandbox"] = True
        assert Connector.offers(here.account.settings) - {"sandbox_url"} == Connector.offers({})
    assert Connector.offers({"real_time_response": True, "sandbox": True}) == Connector.serves


def test_the_test_of_the_connection_names_the_scopes_that_are_missing(here: Range) -> None:
    assert here.connector().test().message == (
        "Falcon takes the credentials and shows its hosts and indicators. Open to the API client: Real Time Response."
    )
    here.state["denied"] = ["iocs/", "entities/file", "queries/scripts"]
    health = here.connector().test()
    assert health.ok and health.message == (
        "Falcon takes the credentials and shows its hosts. The API client lacks the scopes IOC Management,"
        " Real time response (write), Real time response (admin)."
    )
    assert not here.state["calls"]
