"""Collected files, scripts and the sandbox of Vision One: what goes wrong first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.models import Attempt
from soar.connectors.responder import Responder
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
FILE = Target("file", "C:\\Users\\Public\\a.exe", {"endpoint": "lt-221"})
LAPTOP = Target("endpoint", "lt-221")
SCRIPT = "Get-Process | Stop-Process\r\n"


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}) as found:
        yield found


def run(connector: Responder, capability: str, target: Target, **params: Any) -> Result:
    result = connector.perform(capability, target, params, key="k-1")
    for _ in range(10):
        if result.state != "accepted":
            break
        result = connector.poll(capability, result.reference)
    return result


def script(text: str = SCRIPT, name: str = "clean.ps1") -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"script": name, "text": text, "language": "powershell", "sha256": digest, "parameters": "-Force"}


@pytest.mark.parametrize("path", ["\\\\server\\share\\a.exe", "a.exe", ""])
def test_a_file_without_a_full_path_of_its_own_is_refused(here: Range, path: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        here.connector().perform("collect_file", Target("file", path, {"endpoint": "lt-221"}), {}, key="k")
    assert caught.value.permanent
    assert here.state["tasks"] == {}


def test_a_collected_file_lies_where_only_who_asks_is_told(here: Range) -> None:
    done = run(here.connector(), "collect_file", FILE)
    assert done.state == "done"
    assert done.data["file"]["size"] == 1024
    assert set(done.secret) == {"location", "password"}
    assert done.secret["password"] not in repr(done.data) + repr(done.answer) + done.message
    assert done.secret["password"] not in repr(list(Attempt.objects.values_list("response", flat=True)))


def test_another_text_than_the_approved_is_not_sent(here: Range) -> None:
    with pytest.raises(ConnectorError, match="not what was approved"):
        here.connector().perform("run_script", LAPTOP, {**script(), "sha256": "0" * 64}, key="k")
    assert here.state["scripts"] == {}


def test_too_long_parameters_are_refused_before_the_upload(here: Range) -> None:
    with pytest.raises(ConnectorError, match="8,000"):
        here.connector().perform("run_script", LAPTOP, {**script(), "parameters": "x" * 8001}, key="k")
    assert here.state["scripts"] == {}


def test_a_lost_upload_is_no_unknown_run(here: Range) -> None:
    connector = here.connector()
    here.fault("500", times=1)
    with pytest.raises(ConnectorError) as caught:
        connector.perform("run_script", LAPTOP, {**script(), "text": ""}, key="k")  # the run itself: nobody knows
    assert caught.value.outcome_unknown
    here.fault("html", times=9)
    with pytest.raises(ConnectorError) as caught:
        connector.perform("run_script", LAPTOP, script(), key="k")
    assert not caught.value.outcome_unknown


def test_a_script_is_brought_once_and_run(here: Range) -> None:
    connector = here.connector()
    assert run(connector, "run_script", LAPTOP, **script()).state == "done"
    assert run(connector, "run_script", LAPTOP, **script()).state == "done"
    (kept,) = here.state["scripts"].values()
    assert (kept["fileName"], kept["text"], kept["fileType"]) == ("clean.ps1", SCRIPT, "powershell")
    assert {task["target"]["parameter"] for task in here.state["tasks"].values()} == {"-Force"}


def test_a_script_there_with_other_content_is_left_alone(here: Range) -> None:
    connector = here.connector()
    run(connector, "run_script", LAPTOP, **script("Write-Output old"))
    run(connector, "run_script", LAPTOP, **script())
    texts = {one["fileName"]: one["text"] for one in here.state["scripts"].values()}
    assert texts["clean.ps1"] == "Write-Output old"
    (ours,) = set(texts) - {"clean.ps1"}
    assert texts[ours] == SCRIPT
    assert [task["target"]["fileName"] for task in here.state["tasks"].values()] == ["clean.ps1", ours]


def test_running_a_script_is_not_repeated_blindly(here: Range) -> None:
    assert "run_script" not in here.connector().repeatable
    assert "isolate_endpoint" in here.connector().repeatable


def test_an_address_gets_a_verdict_and_the_quota_is_told(here: Range) -> None:
    connector = here.connector()
    first = connector.perform("sandbox_url", Target("url", "http://bad.example/x"), {}, key="k")
    assert first.data == {"quota_remaining": 49}
    done = run(connector, "sandbox_url", Target("domain", "bad.example"))
    assert (done.state, done.data["verdict"]) == ("done", "high")
    assert "high risk" in done.message


def test_without_quota_it_is_refused_in_the_products_words(here: Range) -> None:
    here.state["quota"] = 0
    with pytest.raises(ConnectorError, match="quota is used up"):
        here.connector().perform("sandbox_url", Target("url", "http://a.example/"), {}, key="k")


def test_a_file_is_fetched_and_then_analysed(here: Range) -> None:
    connector = here.connector()
    done = run(connector, "sandbox_file", FILE)
    assert (done.state, done.data["verdict"]) == ("done", "high")
    (analysis,) = here.state["analyses"].values()
    assert analysis["what"] == "bad"
    # The archive is asked for without our token, and is kept nowhere.
    attempt = Attempt.objects.get(operation="collected_file.fetch")
    assert "authorization" not in str(attempt.request).lower()
    assert attempt.response is not None and attempt.response["body"] == ""


def test_a_file_that_the_sandbox_refuses_has_failed(here: Range) -> None:
    here.state["quota"] = 0
    done = run(here.connector(), "sandbox_file", FILE)
    assert done.state == "failed"
    assert "quota is used up" in done.message


def test_a_lost_submission_of_a_file_is_found_by_its_key(here: Range) -> None:
    connector = here.connector()
    here.fault("after")
    with pytest.raises(ConnectorError):
        connector.perform("sandbox_file", FILE, {}, key="k-9")
    found = connector.recall("sandbox_file", FILE, key="k-9")
    assert found is not None and found.state == "accepted"
    assert found.reference.startswith("collect:")
