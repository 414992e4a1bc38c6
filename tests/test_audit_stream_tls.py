"""The audit log to syslog over TLS (RFC 5425): to whom its authority vouches for, by its name, and to nobody else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from soar.accounts import audit, audit_stream
from soar.accounts.models import AuditEntry, AuditStream, AuditUnsent
from tests.certificates import Authority
from tests.playbook_files import until

pytestmark = pytest.mark.django_db
NAME = "localhost"


class Receiver:
    """Takes connections over TLS and keeps what comes. One that is ``rude`` hangs up without a word."""

    def __init__(self, context: ssl.SSLContext, *, rude: bool = False) -> None:
        self._context, self._rude, self.data = context, rude, b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"tls://{NAME}:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(30)

    def verbs(self) -> list[str]:
        """Of the messages that came, by their counted octets."""
        found, rest = [], self.data
        while rest:
            length, _, rest = rest.partition(b" ")
            one, rest = rest[: int(length)], rest[int(length) :]
            found.append(json.loads(one[one.index(b"{") :])["verb"])
        return found

    def _serve(self) -> None:
        while True:
            try:
                plain, _address = self._socket.accept()
            except OSError:
                return
            with plain:
                self._take(plain)

    def _take(self, plain: socket.socket) -> None:
        try:
            caller = self._context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=True)
            while piece := caller.recv(65536):
                self.data += piece
            if not self._rude:
                caller.unwrap()
        except (ssl.SSLError, OSError):
            return


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.made(tmp_path, "Example-CA")


@pytest.fixture
def opened() -> Iterator[Callable[..., Receiver]]:
    """Makes receivers, and closes them at the end."""
    made: list[Receiver] = []

    def make(context: ssl.SSLContext, *, rude: bool = False) -> Receiver:
        made.append(Receiver(context, rude=rude))
        return made[-1]

    yield make
    for one in made:
        one.close()


def sent_to(settings: Any, receiver: Receiver, authority: Authority | None) -> AuditStream:
    """An entry, and what became of the stream when it was to be sent."""
    settings.AUDIT_SYSLOG, settings.AUDIT_SYSLOG_CA = receiver.address, str(authority.file) if authority else ""
    audit.record(None, "test.tls")
    audit_stream.ring()
    audit_stream.send("syslog")
    return AuditStream.objects.get()


@pytest.mark.parametrize("rude", [False, True])
def test_whom_the_authority_vouches_for_gets_each_entry_once(
    settings: Any, authority: Authority, opened: Callable[..., Receiver], rude: bool
) -> None:
    receiver = opened(authority.server(NAME), rude=rude)
    stream = sent_to(settings, receiver, authority)
    assert (stream.failing_since, stream.error) == (None, "")
    until(lambda: len(receiver.verbs()) == AuditEntry.objects.count())
    audit_stream.send("syslog")
    assert not AuditUnsent.objects.exists()
    assert receiver.verbs().count("test.tls") == 1


def test_another_authority_is_not_believed(
    settings: Any, tmp_path: Path, authority: Authority, opened: Callable[..., Receiver]
) -> None:
    receiver = opened(Authority.made(tmp_path, "Evil-CA").server(NAME))
    for believed in (authority, None):  # None: whom the machine trusts
        stream = sent_to(settings, receiver, believed)
        assert stream.failing_since is not None and "certificate verify failed" in stream.error
    assert AuditUnsent.objects.count() == AuditEntry.objects.count()
    assert receiver.data == b""


def test_a_certificate_for_another_name_is_not_believed(
    settings: Any, authority: Authority, opened: Callable[..., Receiver]
) -> None:
    receiver = opened(authority.server("log.example"))
    stream = sent_to(settings, receiver, authority)
    assert "certificate verify failed" in stream.error and receiver.data == b""


def test_a_certificate_that_is_over_is_not_believed(
    settings: Any, authority: Authority, opened: Callable[..., Receiver]
) -> None:
    receiver = opened(authority.server(NAME, over=True))
    stream = sent_to(settings, receiver, authority)
    assert "expired" in stream.error and receiver.data == b""


def test_a_file_of_an_authority_that_is_not_there_sends_nothing(
    settings: Any, tmp_path: Path, authority: Authority, opened: Callable[..., Receiver]
) -> None:
    receiver = opened(authority.server(NAME))
    authority.file.unlink()
    stream = sent_to(settings, receiver, authority)
    assert stream.failing_since is not None and receiver.data == b""
    assert AuditUnsent.objects.exists()
