"""Log lines as JSON, and the one id that goes from a posted alert to the call of a product (operations.md 7)."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from cases.actions.sources import rotate_token
from cases.actors import Actor
from cases.models import Alert
from playbooks.models import Run
from soar import env
from soar.accounts.models import User
from soar.connectors import actions as connectors
from soar.lib.context import UNKNOWN, AddIds, caused_by, doing
from soar.lib.log_lines import FORMATS, JsonLines, PlainLines, from_process
from tests.connector_server import Product
from tests.factories import make_alert, make_source
from tests.hostile_texts import CORPUS
from tests.playbook_files import Folder, _environment, folder, until
from tests.portal import ROOT

__all__ = ["folder"]
LOGGING = r"""
import django, logging
django.setup()
logging.getLogger("cases").warning("a%s", "\nb\x1b[2J")
"""
PLAYBOOK = """
@action
async def isolate():
    await connector("EDR").call("isolate", "POST", "hosts/7/isolate", json={})

@playbook(conditions={"title": "Beacon"})
async def contain(alert):
    await isolate()
"""


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """No test begins with the request or the cause that another one of this process ended with."""
    with doing(UNKNOWN):
        yield


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What the portal's loggers of this process write, as it is set up by SOAR_LOG_FORMAT=json and level DEBUG."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    handler.addFilter(AddIds())
    loggers = [logging.getLogger(name) for name in ("cases", "django.request")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield stream
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture
def product() -> Iterator[Product]:
    made = Product()
    yield made
    made.stop()


@pytest.fixture
def worker(transactional_db: None, folder: Folder, tmp_path: Path) -> Iterator[Path]:
    """A worker process that has the folder's playbooks; the file that its log goes to. It starts when asked for."""
    written = tmp_path / "worker.log"
    environment = {
        **_environment(),
        "SOAR_LOG_FORMAT": "json",
        "SOAR_LOG_LEVEL": "INFO",
        "SOAR_TASK_WORKERS": "1",
        "SOAR_PLAYBOOK_DIRS": str(folder.path),
        "PYTHONWARNINGS": "ignore",
    }
    folder.load(PLAYBOOK)
    with written.open("w") as out:
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True, stdout=out, stderr=out)
    yield written
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def post(client: Client, admin: User, title: str, request: str) -> dict[str, Any]:
    """The answer to an alert that a source posts."""
    source = make_source("EDR alerts", slug="edr-alerts")
    _, token = rotate_token(Actor.of(admin), source.slug)
    answer = client.post(
        "/api/v1/ingest/edr-alerts/",
        {"title": title},
        content_type="application/json",
        headers={"authorization": f"Bearer {token}", "x-request-id": request},
    )
    assert answer.status_code == 201, answer.content
    return dict(answer.json())


def test_a_line_is_one_object_whatever_stands_in_it() -> None:
    record = logging.LogRecord(
        "cases", logging.ERROR, __file__, 1, "He typed %s", ('x"\n{"level": "info"}\x1b[2J',), None
    )
    AddIds().filter(record)
    line = JsonLines().format(record)
    assert "\n" not in line and "\x1b" not in line
    found = json.loads(line)
    assert found["message"] == 'He typed x"\n{"level": "info"}\x1b[2J'
    assert (found["level"], found["request_id"], found["cause"]) == ("error", None, None)
    assert found["at"].endswith("+00:00") and "exception" not in found


def test_an_exception_is_told_in_the_same_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("of no use")
    except ValueError:
        logging.getLogger("cases.x").exception("It failed")
    [found] = read(lines.getvalue())
    assert found["exception"].endswith("ValueError: of no use") and "Traceback" in found["exception"]


def test_the_supervisor_names_the_process_and_leaves_no_line_as_it_is() -> None:
    told = from_process("web", JsonLines().format(logging.LogRecord("a", 20, "", 1, "hello", None, None)))
    assert (json.loads(told)["process"], json.loads(told)["message"]) == ("web", "hello")
    assert json.loads(from_process("postgres", 'LOG: "x"')) == {"process": "postgres", "message": 'LOG: "x"'}


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_LOG_FORMAT", "xml")
    with pytest.raises(ImproperlyConfigured, match="SOAR_LOG_FORMAT is 'xml', not one of plain, json"):
        env.choice("SOAR_LOG_FORMAT", FORMATS)
    monkeypatch.setenv("SOAR_LOG_FORMAT", "JSON")
    assert env.choice("SOAR_LOG_FORMAT", FORMATS) == "json"


def test_a_cause_is_forgotten_with_what_it_caused(lines: io.StringIO) -> None:
    logger = logging.getLogger("cases.x")
    with doing("task-7"), caused_by("c-1"):
        with caused_by(None):
            logger.warning("one")
        with doing("task-8"):
            logger.warning("two")
        logger.warning("three")
    logger.warning("four")
    told = [(one["request_id"], one["cause"]) for one in read(lines.getvalue())]
    assert told == [("task-7", "c-1"), ("task-8", None), ("task-7", "c-1"), (None, None)]


@pytest.mark.django_db
def test_a_line_about_a_refused_request_bears_its_id_and_the_cause_of_its_alert(
    as_viewer: Client, lines: io.StringIO
) -> None:
    alert = make_alert("Beacon")
    answer = as_viewer.post(f"/alerts/{alert.number}/comment/", {"text": "Seen"}, headers={"x-request-id": "r-1"})
    assert answer.status_code == 403
    as_viewer.get("/alerts/ALR-999999/", headers={"x-request-id": "r-2"})
    told = [(one["request_id"], one["cause"]) for one in read(lines.getvalue())]
    assert told == [("r-1", str(alert.cause)), ("r-2", None)]


@pytest.mark.django_db(transaction=True)
def test_one_id_goes_from_a_posted_alert_to_the_header_that_a_product_gets(
    client: Client, admin: User, product: Product, worker: Path, lines: io.StringIO
) -> None:
    connectors.create_account(None, "http", "EDR", {"url": product.url, "allow_internal": True}, {})
    cause = post(client, admin, "Beacon", "from-the-edr-1")["cause"]
    assert str(Alert.objects.get().cause) == cause
    until(lambda: Run.objects.filter(status="successful").exists(), 60)
    [call] = product.seen
    assert (call["path"], call["headers"]["X-Soar-Cause"]) == ("/hosts/7/isolate", cause)
    accepted = [one for one in read(lines.getvalue()) if "was accepted" in one["message"]]
    assert [(one["request_id"], one["cause"]) for one in accepted] == [("from-the-edr-1", cause)]
    [line] = [one for one in read(worker.read_text()) if "POST" in one["message"]]
    assert line["cause"] == cause and line["logger"] == "soar.lib.http"
    assert line["request_id"].startswith("task-")
    assert call["headers"]["X-Request-ID"] in line["message"]


def plain(record: logging.LogRecord) -> list[str]:
    """The lines of a record, as people read them."""
    AddIds().filter(record)
    return PlainLines().format(record).split("\n")


@pytest.mark.parametrize("text", CORPUS)
def test_no_text_ends_a_plain_line_nor_moves_the_cursor(text: str) -> None:
    record = logging.LogRecord("cases", logging.WARNING, __file__, 1, "He typed %s", (text,), None)
    [line] = plain(record)
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", line)
    assert " WARNING cases [- -] He typed " in line
    assert json.loads(JsonLines().format(record))["message"] == f"He typed {text}"


def test_a_message_of_an_exception_forges_no_record() -> None:
    try:
        raise ValueError("x\n2026-11-22 08:00:00,000 INFO soar [- -] all is well\x1b[2J")
    except ValueError:
        record = logging.LogRecord("cases", logging.ERROR, __file__, 1, "It failed", None, sys.exc_info())
    first, *rest = plain(record)
    assert first.endswith(" ERROR cases [- -] It failed")
    assert rest and all(line.startswith("    ") for line in rest)
    assert "all is well\\x1b[2J" in rest[-1]


def test_the_portal_writes_its_plain_lines_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOGGING], capture_output=True, text=True, check=True, cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "soar.settings", "SOAR_LOG_FORMAT": "plain"},
    )  # fmt: skip
    assert done.stderr.splitlines()[-1].endswith("WARNING cases [- -] a\\nb\\x1b[2J")
