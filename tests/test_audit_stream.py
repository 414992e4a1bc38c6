"""The audit log to a file and to syslog over real sockets: nothing is lost while the receiver is away."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from soar.accounts import audit, audit_stream, syslog
from soar.accounts.models import AuditEntry, AuditStream, AuditUnsent
from tests.playbook_files import until

pytestmark = pytest.mark.django_db


class Receiver:
    """Takes connections and keeps what comes, until it is closed."""

    def __init__(self, port: int = 0) -> None:
        self.socket = socket.create_server(("127.0.0.1", port))
        self.port = int(self.socket.getsockname()[1])
        self.data = b""
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self._thread.join(30)

    def messages(self) -> list[dict[str, Any]]:
        """The JSON of each message, by its counted octets."""
        found, rest = [], self.data
        while rest:
            length, _, rest = rest.partition(b" ")
            one, rest = rest[: int(length)], rest[int(length) :]
            assert one.startswith(b"<109>1 20")
            found.append(json.loads(one[one.index(b"{") :]))
        return found

    def _take(self) -> None:
        while True:
            try:
                caller, _address = self.socket.accept()
            except OSError:
                return
            with caller:
                while piece := caller.recv(65536):
                    self.data += piece


@pytest.fixture
def opened() -> Iterator[Callable[..., Receiver]]:
    """Makes receivers, and closes them at the end."""
    made: list[Receiver] = []

    def make(port: int = 0) -> Receiver:
        made.append(Receiver(port))
        return made[-1]

    yield make
    for one in made:
        try:
            one.close()
        except OSError:
            continue


def test_without_a_receiver_nothing_is_noted() -> None:
    audit_stream.ring()
    audit.record(None, "test.one")
    assert not AuditUnsent.objects.exists()


def test_over_tcp_nothing_is_lost_while_the_receiver_is_away(settings: Any, opened: Callable[..., Receiver]) -> None:
    audit.record(None, "test.before", "it was there before the receiver")
    first = opened()
    settings.AUDIT_SYSLOG = f"tcp://127.0.0.1:{first.port}"
    audit_stream.ring()
    audit_stream.send("syslog")
    until(lambda: len(first.messages()) == AuditEntry.objects.count())
    assert {one["verb"] for one in first.messages()} >= {"test.before"}
    first.close()
    for number in range(5):
        audit.record(None, "test.away", f"number {number}\nsecond line")
        audit_stream.send("syslog")
    stream = AuditStream.objects.get()
    assert stream.failing_since is not None and stream.error
    assert AuditUnsent.objects.count() == 5
    second = opened(first.port)
    audit_stream.send("syslog")
    until(lambda: len(second.messages()) == 5)
    assert [one["object"] for one in second.messages()] == [f"number {number}\nsecond line" for number in range(5)]
    assert not AuditUnsent.objects.exists()
    stream.refresh_from_db()
    assert stream.failing_since is None and stream.error == "" and stream.sent_at is not None


def test_over_udp_each_entry_is_a_datagram(settings: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(30)
        settings.AUDIT_SYSLOG = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        audit.record(None, "test.udp", "ümlaut", secretless=True)
        audit_stream.ring()
        audit_stream.send("syslog")
        got = [receiver.recv(65536) for _ in range(AuditEntry.objects.count())]
    row = AuditEntry.objects.get(verb="test.udp")
    last = got[-1].decode()
    head, _, text = last.partition(" - {")
    assert head.startswith(f"<109>1 {row.at:%Y-%m-%dT%H:%M:%S}") and head.endswith("soar - test.udp")
    assert json.loads("{" + text)["object"] == "ümlaut"


def test_a_file_gets_a_line_each_and_is_for_the_owner_alone(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    settings.AUDIT_FILE = str(path)
    audit_stream.ring()
    audit_stream.send("file")
    audit.record(None, "test.file", "two\nlines")
    audit_stream.send("file")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["id"] for row in rows] == list(AuditEntry.objects.order_by("pk").values_list("pk", flat=True))
    assert path.stat().st_mode & 0o777 == 0o600
    moved = path.rename(tmp_path / "audit.1")
    audit.record(None, "test.rotated")
    audit_stream.send("file")
    assert len(path.read_text().splitlines()) == 1
    assert len(moved.read_text().splitlines()) == len(rows)


def test_a_file_that_cannot_be_written_is_told_and_tried_again(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_FILE = str(tmp_path / "not-there" / "audit.jsonl")
    audit.record(None, "test.file")
    audit_stream.ring()
    audit_stream.send("file")
    assert "FileNotFoundError" in AuditStream.objects.get().error
    (tmp_path / "not-there").mkdir()
    audit_stream.send("file")
    assert not AuditUnsent.objects.exists()


def test_what_is_switched_off_is_forgotten(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_FILE = str(tmp_path / "audit.jsonl")
    audit.record(None, "test.file")
    audit_stream.ring()
    assert AuditUnsent.objects.exists()
    settings.AUDIT_FILE = ""
    audit_stream.ring()
    assert not AuditStream.objects.exists() and not AuditUnsent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_entry_that_commits_late_is_sent_too(settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    settings.AUDIT_FILE = str(path)
    audit_stream.ring()
    written, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            audit.record(None, "test.slow")
            written.set()
            go_on.wait(60)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(60)
    audit.record(None, "test.quick")
    audit_stream.send("file")
    go_on.set()
    thread.join(60)
    audit_stream.send("file")
    verbs = [json.loads(line)["verb"] for line in path.read_text().splitlines()]
    assert verbs[-2:] == ["test.quick", "test.slow"]


@pytest.mark.parametrize("address", ["log.example", "http://log.example", "tcp://", "tcp://h:99999", "udp://h/x"])
def test_a_wrong_address_is_told(settings: Any, address: str) -> None:
    with pytest.raises(syslog.BadAddress):
        syslog.receiver_of(address)
    settings.AUDIT_SYSLOG = address
    audit.record(None, "test.one")
    audit_stream.ring()
    audit_stream.send("syslog")
    assert AuditStream.objects.get().failing_since is not None


def test_names_cannot_forge_a_header() -> None:
    made = syslog.message(datetime(2026, 3, 12, tzinfo=UTC), "host name", "a b\n<1>1 x", "{}")
    assert made == b"<109>1 2026-03-12T00:00:00Z hostname soar - ab<1>1x - {}"
