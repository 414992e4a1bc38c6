"""The practice range: where it listens, what it prints, how the portal finds it again (connectors.md 5, rulings 27)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.management import CommandError, call_command

from soar.connectors import actions, notify, practice, registry
from soar.connectors.messages import Message
from soar.connectors.models import ConnectorAccount
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.server import NotLoopback, Server
from soar.standins.slack import Slack

ROOT = Path(__file__).parent.parent


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    folder._range.cache_clear()
    yield tmp_path
    folder._range.cache_clear()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_it_refuses_to_listen_where_others_could_reach_it(host: str) -> None:
    with pytest.raises(NotLoopback):
        Server([Slack()], host)
    with pytest.raises(CommandError, match="loopback alone"):
        call_command("standins", "--host", host)


def test_half_a_request_is_none() -> None:
    with Server([Slack()]) as server:
        address = urlsplit(server.urls["slack"]["url"])
        with socket.create_connection((address.hostname or "", address.port or 0)) as client:
            client.sendall(f"POST {address.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 16\r\n\r\n".encode())
            client.shutdown(socket.SHUT_WR)
            assert client.recv(100) == b""
        assert httpx.get(f"{server.urls['slack']['control']}/state").json()["messages"] == []


def test_the_command_prints_where_everything_is_and_ends_when_told(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SOAR_DATA": str(tmp_path),
        "SECRET_KEY": "k",
        "DATABASE_URL": "postgresql://nowhere/x",
    }
    command = [sys.executable, "manage.py", "standins"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        output: IO[str] | None = process.stdout
        assert output
        found = json.loads(output.readline())
        assert {"smtp", "slack", "teams", "mattermost", "webhook", "visionone"} <= found.keys()
        control = found["slack"]["control"]
        assert httpx.post(found["slack"]["url"], json={"text": "Hello"}).text == "ok"
        assert httpx.get(f"{control}/state").json()["messages"][0]["text"] == "Hello"
        httpx.post(f"{control}/fault", json={"kind": "500", "times": 1})
        assert [httpx.post(found["slack"]["url"], json={"text": "x"}).status_code for _ in range(2)] == [500, 200]
        httpx.post(f"{control}/reset")
        assert httpx.get(f"{control}/state").json()["messages"] == []
        assert httpx.post(f"{control}/fault", json={"kind": "nonsense"}).status_code == 400
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_accounts_are_made_once_and_work(data: Path) -> None:
    with program.made() as server:
        names = practice.connect(server)
        assert {"Practice Slack", "Practice E-mail (SMTP)", "Practice Trend Vision One"} <= set(names)
        assert practice.connect(server) == []
        assert ConnectorAccount.objects.count() == len(names)
        for account in [*notify.channels(), notify.mail_account()]:
            assert account is not None
            notify.send(account, Message("Hello", tlp="red"), key=f"k-{account.pk}")
        for account in ConnectorAccount.objects.all():
            assert registry.of(account).test().ok, account


@pytest.mark.django_db
def test_an_account_follows_the_range_to_another_port(data: Path) -> None:
    with program.made() as server:
        practice.connect(server)
    with program.made() as server:
        assert practice.connect(server) == []
        slack = notify.channel_named("Practice Slack")
        assert slack is not None
        assert slack.secrets["url"] == server.urls["slack"]["url"]
        webhook = notify.channel_named("Practice Webhook")
        assert webhook is not None
        assert set(webhook.secrets) == {"url", "secret"}
        assert notify.send(webhook, Message("Hello"), key="k").state == "done"


@pytest.mark.django_db
def test_what_a_person_changed_or_removed_stays_so(data: Path) -> None:
    with program.made() as server:
        practice.connect(server)
    slack, teams = notify.channel_named("Practice Slack"), notify.channel_named("Practice Microsoft Teams")
    assert slack
    assert teams
    actions.update_account(None, slack.pk, name="Ours", settings={"url": "https://hooks.slack.example/services/a"})
    teams.delete()
    with program.made() as server:
        assert practice.connect(server) == []
    slack.refresh_from_db()
    assert slack.secrets["url"] == "https://hooks.slack.example/services/a"
    assert not ConnectorAccount.objects.filter(kind="teams").exists()


def test_it_comes_back_at_its_place_with_what_it_was_told(data: Path) -> None:
    with program.made() as server:
        keeper = program.Keeper(server)
        keeper.start()
        program.remember(server, os.getpid())
        httpx.post(server.urls["slack"]["url"], json={"text": "Before"})
        ports, urls = program.remembered(), server.urls
        assert folder.running() == urls
        keeper.stop()
    with program.made("127.0.0.1", *ports) as server:
        assert server.urls == urls
        program.Keeper(server).start()
        found = httpx.get(f"{server.urls['slack']['control']}/state").json()
        assert [one["text"] for one in found["messages"]] == ["Before"]


def test_a_port_in_use_is_not_fought_for(data: Path) -> None:
    with program.made() as first:
        port = int(first.address.rpartition(":")[2])
        with program.made("127.0.0.1", port) as second:
            assert second.address != first.address


def test_a_range_whose_process_is_gone_does_not_run(data: Path) -> None:
    assert folder.running() == {}
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    folder.write("range", {"pid": int(gone.stdout), "ports": [1, 2], "urls": {"slack": {}}})
    assert folder.running() == {}
    folder.write("range", {"pid": None, "ports": [1, 2], "urls": {"slack": {}}})  # after a clean end
    assert folder.running() == {}
    assert program.remembered() == (1, 2, 0)
    (folder.folder() / "range.json").write_text("{")
    assert folder.running() == {}
    assert program.remembered() == (0, 0, 0)
