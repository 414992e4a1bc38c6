"""The one way into a mailbox: bounded in time and memory, to judged addresses only, encrypted unless it stays inside.

The counterpart of ``smtp.py``: imaplib talks; sockets, TLS, sizes and the verdict on every answer are ours."""

from __future__ import annotations

import base64
import imaplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from soar.lib import addresses, tls
from soar.lib.answers import RemoteError
from soar.lib.redact import Redactor

AUTO, STARTTLS, TLS, NONE = "auto", "starttls", "tls", "none"
SECURITY = (AUTO, STARTTLS, TLS, NONE)
CONNECT_SECONDS = 5.0
LONGEST_REASON = 300
LONGEST_LITERAL = 25 * 1024 * 1024  # bytes of one message that are kept; more is read past
MOST_OF_ANSWER = 64 * 1024 * 1024  # bytes of one answer with everything in it


@dataclass(frozen=True, slots=True)
class MailBox:
    """Where messages are read. ``security``: ``auto`` is STARTTLS, which only a server on this very machine may lack.

    ``authority``: certificates of who alone may vouch for it (soar.lib.tls). ``seconds``: the longest silence; one
    answer may take four times that. ``token``: OAuth 2 instead of a password."""

    host: str
    port: int
    security: str = TLS
    verify: bool = True
    authority: str = ""
    allow_internal: bool = False
    username: str = ""
    password: str = ""
    token: str = ""
    seconds: float = 30.0


class SignInRefused(RemoteError):
    """The server does not take the credentials."""


class Session:
    """One conversation. Every method raises RemoteError with the server's words."""

    def __init__(self, box: MailBox) -> None:
        self.box = box
        self.redactor = Redactor([box.password, box.token])
        self.imap: _Imap | None = None
        self.encrypted = box.security == TLS

    def open(self) -> None:
        """Connect, encrypt as told, sign in."""
        imap = self._ask(lambda: _Imap(self.box))
        self.imap = imap
        if self.box.security in (STARTTLS, AUTO):
            self._start_tls(imap)
        if not self.encrypted:
            self._may_be_plain(imap.peer)
        self._sign_in(imap)

    def close(self) -> None:
        """Sign off, as far as the server still listens."""
        if self.imap is not None:
            # What is wrong with a good-bye changes nothing.
            with suppress(OSError, imaplib.IMAP4.error), _bounded(self.imap, self.box.seconds):
                self.imap.logout()
            self.imap.drop()

    def can(self, what: str) -> bool:
        """Whether the server says that it can do this (MOVE, UIDPLUS)."""
        return self.imap is not None and what in self.imap.capabilities

    def select(self, folder: str, *, readonly: bool) -> dict[str, int | None]:
        """Open a folder: ``uidvalidity`` and ``uidnext`` as far as the server tells them, and how many messages."""
        name = quoted(folder)
        exists = self.command(lambda imap: imap.select(name, readonly), f"does not open the folder {folder!r}")
        told = {code: self._number(code) for code in ("UIDVALIDITY", "UIDNEXT")}
        count = int(exists[0]) if exists and exists[0] and exists[0].isdigit() else None
        return {"uidvalidity": told["UIDVALIDITY"], "uidnext": told["UIDNEXT"], "exists": count}

    def uid(self, verb: str, *given: str) -> list[Any]:
        """The answer to a command about messages by their UIDs."""
        return self.command(lambda imap: imap.uid(verb, *given), f"refused {verb}")

    def command(self, act: Callable[[Any], tuple[str, list[Any]]], problem: str) -> list[Any]:
        """What a command brought. A refusal is for good, a lost connection for now."""
        assert self.imap is not None
        imap = self.imap
        imap.taken = 0
        status, answer = self._ask(lambda: act(imap))
        data: list[Any] = list(answer)
        if status != "OK":
            raise self._error(f"{problem}: {self._words(data)}", permanent=not _is_passing(data))
        return data

    def _number(self, code: str) -> int | None:
        assert self.imap is not None
        data = self.imap.response(code)[1]
        text = data[-1] if data else None
        return int(text) if isinstance(text, bytes) and text.isdigit() else None

    def _start_tls(self, imap: _Imap) -> None:
        if "STARTTLS" not in imap.capabilities:
            if self.box.security == AUTO and addresses.is_loopback(imap.peer):
                return
            raise self._error("offers no encryption (STARTTLS)", permanent=True)
        self._ask(lambda: imap.starttls(_context(self.box)))
        self.encrypted = True

    def _may_be_plain(self, peer: str) -> None:
        if not addresses.is_loopback(peer):
            raise self._error("would get the password unencrypted; choose tls or starttls", permanent=True)

    def _sign_in(self, imap: _Imap) -> None:
        box = self.box
        if not box.username:
            raise self._error("needs a user name", permanent=True)
        try:
            with _bounded(imap, box.seconds):
                if box.token:
                    imap.authenticate("XOAUTH2", _once(f"user={box.username}\1auth=Bearer {box.token}\1\1"))
                elif "AUTH=PLAIN" in imap.capabilities:
                    imap.authenticate("PLAIN", _once(f"\0{box.username}\0{box.password}"))
                else:
                    quoted_text(box.password)  # imaplib quotes it, line ends and all
                    imap.login(quoted_text(box.username), box.password)
                _learn(imap)
        except imaplib.IMAP4.abort as error:
            raise _told(box.host, error) from None
        except imaplib.IMAP4.error as error:
            text = self.redactor.text(" ".join(str(error).split()), LONGEST_REASON)
            if _is_passing([text.encode()]):
                raise self._error(f"refused the sign-in: {text}", permanent=False) from None
            raise SignInRefused(f"{box.host} refused the sign-in: {text}", permanent=True) from None
        except (OSError, UnicodeError, ValueError) as error:
            raise _told(box.host, error) from None

    def _ask(self, act: Callable[[], Any]) -> Any:
        try:
            if self.imap is None:
                return act()
            with _bounded(self.imap, 4 * self.box.seconds):
                return act()
        except (imaplib.IMAP4.error, addresses.AddressRefused, OSError, UnicodeError, ValueError, TypeError) as error:
            raise _told(self.box.host, error, self.redactor) from None

    def _words(self, data: list[Any]) -> str:
        text = b" ".join(one for one in data if isinstance(one, bytes)).decode("utf-8", "replace")
        return self.redactor.text(" ".join(text.split()), LONGEST_REASON) or "without a reason"

    def _error(self, text: str, *, permanent: bool) -> RemoteError:
        return RemoteError(f"{self.box.host} {text}", permanent=permanent)


class _Imap(imaplib.IMAP4):
    """imaplib over a socket of ours; what it reads is counted. ``peer``: the address that it is connected to."""

    def __init__(self, box: MailBox) -> None:
        self.box = box
        self.peer = ""
        self.taken = 0
        self.greeting: threading.Timer | None = None
        try:
            super().__init__(box.host, box.port, timeout=box.seconds)
        finally:
            if self.greeting:
                self.greeting.cancel()

    def _create_socket(self, timeout: float | None) -> socket.socket:
        made, self.peer = _socket(self.box)
        self.greeting = threading.Timer(2 * self.box.seconds, _shut, (made,))
        self.greeting.daemon = True
        self.greeting.start()
        if self.box.security == TLS:
            try:
                return _context(self.box).wrap_socket(made, server_hostname=self.box.host)
            except BaseException:
                made.close()
                raise
        return made

    def read(self, size: int) -> bytes:
        """A literal; what is beyond the limit is read past, so that one huge message does not end the reading."""
        self._count(min(size, LONGEST_LITERAL))
        kept = super().read(min(size, LONGEST_LITERAL))
        left = size - len(kept)
        while left > 0 and (piece := super().read(min(left, 65_536))):
            left -= len(piece)
        return kept

    def readline(self) -> bytes:
        """One line, of at most as much as imaplib takes."""
        line = super().readline()
        self._count(len(line))
        return line

    def _count(self, number: int) -> None:
        self.taken += number
        if self.taken > MOST_OF_ANSWER:
            raise self.abort("the answer is larger than is taken")

    def drop(self) -> None:
        """Let go of the connection, whatever state it is in."""
        with suppress(OSError):
            self.shutdown()


@contextmanager
def session(box: MailBox, renewed: Callable[[], MailBox] | None = None) -> Iterator[Session]:
    """A conversation that is signed in. ``renewed``: with what it is tried once more when the credentials are refused.
    Raises RemoteError, and what ``renewed`` raises."""
    talk = Session(box)
    try:
        try:
            talk.open()
        except SignInRefused:
            if renewed is None:
                raise
            talk.close()
            talk = Session(renewed())
            talk.open()
        yield talk
    finally:
        talk.close()


def _learn(imap: _Imap) -> None:
    """Some servers say only to those who are signed in what they can do."""
    status, data = imap.capability()
    if status == "OK" and data and isinstance(data[-1], bytes):
        imap.capabilities = tuple(data[-1].decode("ascii", "replace").upper().split())


def quoted(folder: str) -> str:
    """The name of a folder as a command has it: in modified UTF-7 (RFC 3501), quoted."""
    return quoted_text(encoded(folder))


def quoted_text(text: str) -> str:
    """A quoted string. Raises ValueError for line ends and other controls: they would begin another command."""
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise ValueError("holds control characters")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def encoded(folder: str) -> str:
    """Modified UTF-7: ``&`` and what is beyond ASCII in base64 of UTF-16."""
    out: list[str] = []
    pending = ""
    for sign in [*folder, ""]:
        if sign and not " " <= sign <= "~":
            pending += sign
            continue
        if pending:
            data = base64.b64encode(pending.encode("utf-16-be", "surrogatepass")).decode().rstrip("=")
            out.append(f"&{data.replace('/', ',')}-")
            pending = ""
        out.append("&-" if sign == "&" else sign)
    return "".join(out)


def _socket(box: MailBox) -> tuple[socket.socket, str]:
    problem: OSError = OSError("no address")
    for family, place in addresses.resolve(box.host, box.port, box.allow_internal):
        made = socket.socket(family, socket.SOCK_STREAM)
        made.settimeout(min(CONNECT_SECONDS, box.seconds))
        try:
            made.connect(place)
        except OSError as error:
            made.close()
            problem = error
        else:
            made.settimeout(box.seconds)
            return made, str(place[0])
    raise problem


def _context(box: MailBox) -> ssl.SSLContext:
    return tls.context(box.verify, box.authority)


def _once(words: str) -> Callable[[bytes], bytes]:
    """Says it once; a second question is the server's reason for refusing, which is answered with nothing."""
    answers = iter([words.encode()])
    return lambda _challenge: next(answers, b"")


@contextmanager
def _bounded(imap: _Imap, seconds: float) -> Iterator[None]:
    """A server that drips its answer must not hold us longer than this."""
    clock = threading.Timer(seconds, _cut, (imap,))
    clock.daemon = True
    clock.start()
    try:
        yield
    finally:
        clock.cancel()


def _cut(imap: _Imap) -> None:
    _shut(imap.sock)


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        # Not the method of a TLS socket: that one would first forget its keys and could go on in clear.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _is_passing(data: list[Any]) -> bool:
    """Whether a refusal says of itself that it is for now (RFC 5530)."""
    text = b" ".join(one for one in data if isinstance(one, bytes)).upper()
    return any(code in text for code in (b"[UNAVAILABLE]", b"[INUSE]", b"[LIMIT]", b"[SERVERBUG]", b"TRY AGAIN"))


def _told(host: str, error: Exception, redactor: Redactor | None = None) -> RemoteError:
    """What went wrong outside of the dialogue itself."""
    if isinstance(error, addresses.AddressRefused):
        return RemoteError(f"{host} is not reached: {error}", permanent=True)
    if isinstance(error, ssl.SSLError):
        setup = isinstance(error, ssl.SSLCertVerificationError) or error.reason == "WRONG_VERSION_NUMBER"
        return RemoteError(f"{host} cannot be reached encrypted: {error}", permanent=setup)
    if isinstance(error, TimeoutError):
        return RemoteError(f"{host} cannot be reached: it took too long", permanent=False)
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
        text = " ".join(str(error).split())
        return RemoteError(f"{host} gave an answer that is not understood: {_short(text, redactor)}", permanent=False)
    return RemoteError(f"{host} broke off: {_short(str(error), redactor)}", permanent=False)


def _short(text: str, redactor: Redactor | None) -> str:
    return (redactor or Redactor()).text(" ".join(text.split()), LONGEST_REASON)
