"""The client in ``examples/``: its shapes are those of the schema, and what it does to a real server."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_type_hints

import httpx
import pytest
from pytest_django.live_server_helper import LiveServer

from cases.api.reference import document
from cases.choices import Determination, IncidentStatus
from cases.models import Alert, Incident
from soar.accounts.actions.users import create_token
from soar.accounts.models import User
from tests.factories import make_alert, make_incident

EXAMPLES = Path(__file__).parent.parent / "examples"
sys.path.insert(0, str(EXAMPLES))

from soar_client import Problem, Soar, shapes  # noqa: E402

SHAPES = {
    "AlertObservable": shapes.AlertObservable,
    "AlertRun": shapes.AlertRun,
    "AlertRow": shapes.AlertRow,
    "Alert": shapes.Alert,
    "Owner": shapes.Owner,
    "IncidentRow": shapes.IncidentRow,
    "Incident": shapes.Incident,
    "EntryActor": shapes.Actor,
    "Entry": shapes.Entry,
}
WORDS = {int: "integer", str: "string", bool: "boolean"}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_that_of_the_schema(name: str) -> None:
    wanted = document()["components"]["schemas"][name]
    hints = get_type_hints(SHAPES[name])
    assert set(hints) == set(wanted["properties"])
    for key, kind in hints.items():
        if kind in WORDS and "type" in wanted["properties"][key]:
            assert wanted["properties"][key]["type"] == WORDS[kind], key


def client(answer: Callable[[httpx.Request], httpx.Response]) -> Soar:
    return Soar("http://soar.example", "t", transport=httpx.MockTransport(answer))


def test_a_refusal_that_is_no_json_is_a_problem_too() -> None:
    with client(lambda request: httpx.Response(502, text="Bad gateway")) as soar, pytest.raises(Problem) as found:
        soar.alert(7)
    assert (found.value.status, str(found.value)) == (502, "502: Bad gateway")


def test_a_busy_server_is_asked_again_under_the_same_key() -> None:
    keys: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        return (
            httpx.Response(429, headers={"Retry-After": "0"}) if len(keys) < 3 else httpx.Response(200, json={"id": 7})
        )

    with client(answer) as soar:
        assert soar.claim(7)["id"] == 7
    assert len(keys) == 3 and len(set(keys)) == 1


def test_it_gives_up() -> None:
    calls: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request.url.path)
        return httpx.Response(503, headers={"Retry-After": "0"}, json={"detail": "Away"})

    with client(answer) as soar, pytest.raises(Problem, match="503: Away"):
        soar.alert(7)
    assert calls == ["/api/v1/alerts/7/"] * 5


def run(script: str, server: LiveServer, user: User, *arguments: str) -> subprocess.CompletedProcess[str]:
    _row, token = create_token(user, "example", actor=user)
    environment = {**os.environ, "SOAR_URL": server.url, "SOAR_TOKEN": token}
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.django_db(transaction=True)
def test_the_examples_do_what_they_say(live_server: LiveServer, analyst: User, viewer: User, tmp_path: Path) -> None:
    file = tmp_path / "alerts.csv"
    file.write_text("title,severity,hostname\nBeacon,high,LT-1\nOdd,loud,LT-2\n")
    posted = run("post_alerts.py", live_server, analyst, str(file))
    assert posted.returncode == 1 and "Odd: 400" in posted.stderr and "ALR-" in posted.stdout
    assert list(Alert.objects.values_list("title", flat=True)) == ["Beacon"]
    make_incident("=HYPERLINK(1);=1+1;", make_alert("One"))
    ended = make_incident("Over")
    for number in (make_incident("Closed long ago").pk, ended.pk):
        Incident.objects.filter(pk=number).update(status=IncidentStatus.CLOSED, determination=Determination.BENIGN)
    written = run("export_incidents.py", live_server, viewer)
    assert written.returncode == 0, written.stderr
    rows = list(csv.DictReader(written.stdout.splitlines()))
    assert [row["title"] for row in rows] == ["'=HYPERLINK(1);'=1+1;"]
    followed = run("follow_case.py", live_server, viewer, ended.number)
    assert followed.returncode == 0, followed.stderr
    missing = run("follow_case.py", live_server, viewer, "INC-999999")
    assert missing.returncode != 0 and "404" in missing.stderr
