"""The one way out for mail: bounded in time, to judged addresses only, encrypted unless it stays inside.

The counterpart of ``http.py`` for a protocol that httpx does not speak (connectors.md 1). smtplib talks; sockets, TLS
and the verdict on every answer are ours.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn

from soar.lib import addresses, tls
from soar.lib.answers import RemoteError
from soar.lib.redact import Redactor

AUTO, STARTTLS, TLS, NONE = "auto", "starttls", "tls", "none"
SECURITY = (AUTO, STARTTLS, TLS, NONE)
CONNECT_SECONDS = 5.0
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. ``security``: ``auto`` is STARTTLS, which only a server on this very machine may lack.

    ``authority``: certificates of who alone may vouch for it (soar.lib.tls). ``seconds``: the longest silence; the
    whole delivery may take twice that. ``name``: how we introduce ourselves."""

    host: str
    port: int
    security: str = AUTO
    verify: bool = True
    authority: str = ""
    allow_internal: bool = False
    username: str = ""
    password: str = ""
    seconds: float = 30.0
    name: str = "localhost"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The server has the mail. ``reply``: its words; ``refused``: why by recipient; ``encrypted``: how it travelled."""

    reply: str
    refused: dict[str, str]
    encrypted: bool


def deliver(server: MailServer, sender: str, recipients: Sequence[str], mail: bytes) -> Receipt:
    """Hand one mail in. Raises RemoteError: ``outcome_unknown`` when the answer to the mail itself was lost."""
    with _session(server) as session:
        refused = session.envelope(sender, recipients, len(mail))
        reply = session.data(mail)
        return Receipt(reply, refused, session.encrypted)


def greet(server: MailServer) -> str:
    """Connect, encrypt, sign in and leave. A sentence of what was found. Raises RemoteError."""
    with _session(server) as session:
        session.expect(session.smtp.noop(), {250})
        how = "encrypted" if session.encrypted else "not encrypted"
        return f"{server.host} takes mail ({how}{', signed in' if server.username else ''})."


class _Session:
    """One conversation. Every method raises RemoteError with the server's words."""

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.encrypted = False
        self.redactor = Redactor([server.password])
        self.smtp = smtplib.SMTP(local_hostname=server.name, timeout=server.seconds)

    def open(self) -> None:
        """Connect, encrypt as told, introduce ourselves, sign in."""
        self.smtp.sock, peer = self._socket()
        if self.server.security == TLS:
            self._encrypt()
        self.expect(self.smtp.getreply(), {220})
        self._introduce()
        if self.server.security in (STARTTLS, AUTO):
            self._start_tls(peer)
        if not self.encrypted:
            self._may_be_plain(peer)
        if self.server.username:
            self._sign_in()

    def envelope(self, sender: str, recipients: Sequence[str], size: int) -> dict[str, str]:
        """Sender and recipients; those that were refused, and why. Raises RemoteError when all were."""
        limit = self.smtp.esmtp_features.get("size", "")
        if limit.isdecimal() and 0 < int(limit) < size:
            raise self._error(f"takes mails of {limit} bytes at most; this one has {size}", permanent=True)
        self.expect(self.smtp.mail(sender), {250})
        answers = {one: self.smtp.rcpt(one) for one in recipients}
        refused = {one: self._words(answer) for one, answer in answers.items() if answer[0] not in (250, 251)}
        if len(refused) == len(answers):
            later = any(400 <= answer[0] < 500 for answer in answers.values())
            raise self._error(f"takes no recipient: {'; '.join(refused.values())}", permanent=not later)
        return refused

    def data(self, mail: bytes) -> str:
        """The mail itself; the server's words when it has it."""
        try:
            answer = self.smtp.data(mail)
        except smtplib.SMTPDataError as error:
            self.refuse((error.smtp_code, _bytes(error.smtp_error)))
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            raise self._error(f"gave no answer to the mail: {error}", permanent=False, unknown=True) from None
        return self.expect(answer, {250})

    def expect(self, answer: tuple[int, Any], wanted: set[int]) -> str:
        """The words of an answer that must have one of these codes."""
        return self._words(answer) if answer[0] in wanted else self.refuse(answer)

    def refuse(self, answer: tuple[int, Any]) -> NoReturn:
        """4xx is for now, everything else for good."""
        if answer[0] == -1:  # smtplib's word for a line that begins with no number
            raise self._error("does not answer as a mail server does", permanent=True)
        raise self._error(f"answered {self._words(answer)}", permanent=not 400 <= answer[0] < 500)

    def _socket(self) -> tuple[socket.socket, str]:
        """A connection to the first judged address that answers, and that address."""
        server, problem = self.server, OSError("no address")
        for family, place in addresses.resolve(server.host, server.port, server.allow_internal):
            made = socket.socket(family, socket.SOCK_STREAM)
            made.settimeout(min(CONNECT_SECONDS, server.seconds))
            try:
                made.connect(place)
            except OSError as error:
                made.close()
                problem = error
            else:
                made.settimeout(server.seconds)
                return made, str(place[0])
        raise problem

    def _introduce(self) -> None:
        if self.smtp.ehlo()[0] != 250:
            self.expect(self.smtp.helo(), {250})

    def _start_tls(self, peer: str) -> None:
        if not self.smtp.has_extn("starttls"):
            if self.server.security == AUTO and addresses.is_loopback(peer):
                return
            raise self._error("offers no encryption (STARTTLS)", permanent=True)
        self.expect(self.smtp.docmd("STARTTLS"), {220})
        self._encrypt()
        self._introduce()

    def _encrypt(self) -> None:
        context = tls.context(self.server.verify, self.server.authority)
        self.smtp.sock = context.wrap_socket(self.smtp.sock, server_hostname=self.server.host)  # type: ignore[arg-type]
        # What came before must not be taken for what comes after: buffer and offers are forgotten.
        self.smtp.file, self.smtp.esmtp_features, self.smtp.ehlo_resp, self.smtp.helo_resp = None, {}, None, None
        self.encrypted = True

    def _may_be_plain(self, peer: str) -> None:
        inside = self.server.allow_internal and addresses.refusal(peer, allow_internal=False) is not None
        if self.server.username and not addresses.is_loopback(peer):
            raise self._error("would get the password unencrypted; choose starttls or tls", permanent=True)
        if not inside:
            raise self._error("is outside, where mail goes encrypted only; choose starttls or tls", permanent=True)

    def _sign_in(self) -> None:
        try:
            self.smtp.login(self.server.username, self.server.password)
        except smtplib.SMTPNotSupportedError:
            raise self._error("offers no sign-in", permanent=True) from None
        except smtplib.SMTPAuthenticationError as error:
            text = f"refused the sign-in: {self._words((error.smtp_code, error.smtp_error))}"
            raise self._error(text, permanent=not 400 <= error.smtp_code < 500) from None

    def _words(self, answer: tuple[int, Any]) -> str:
        text = " ".join(_bytes(answer[1]).decode("utf-8", "replace").split())
        return self.redactor.text(f"{answer[0]} {text}".strip(), LONGEST_REASON)

    def _error(self, text: str, *, permanent: bool, unknown: bool = False) -> RemoteError:
        return RemoteError(f"{self.server.host} {text}", permanent=permanent, outcome_unknown=unknown)


@contextmanager
def _session(server: MailServer) -> Iterator[_Session]:
    session = _Session(server)
    # smtplib bounds each wait; a server that drips its answer must not hold us beyond this.
    clock = threading.Timer(2 * server.seconds, _cut, (session.smtp,))
    clock.daemon = True
    clock.start()
    try:
        session.open()
        yield session
        with suppress(OSError, smtplib.SMTPException):
            session.smtp.quit()
    except (addresses.AddressRefused, OSError, UnicodeError, smtplib.SMTPException) as error:
        raise _told(server.host, error) from None
    finally:
        clock.cancel()
        session.smtp.close()


def _told(host: str, error: Exception) -> RemoteError:
    """What went wrong outside of the dialogue itself."""
    if isinstance(error, addresses.AddressRefused):
        return RemoteError(f"{host} is not reached: {error}", permanent=True)
    if isinstance(error, ssl.SSLError):
        setup = isinstance(error, ssl.SSLCertVerificationError) or error.reason == "WRONG_VERSION_NUMBER"
        return RemoteError(f"{host} cannot be reached encrypted: {error}", permanent=setup)
    if isinstance(error, TimeoutError):
        return RemoteError(f"{host} cannot be reached: it took too long", permanent=False)
    return RemoteError(f"{host} cannot be reached: {error}", permanent=False)


def _cut(smtp: smtplib.SMTP) -> None:
    if smtp.sock is not None:
        with suppress(OSError):
            # Not the method of a TLS socket: that one would first forget its keys and could go on in clear.
            socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)


def _bytes(words: Any) -> bytes:
    return words if isinstance(words, bytes) else str(words).encode()
