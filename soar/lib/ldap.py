"""The one way into a directory: bounded in time, to judged addresses only, encrypted unless it stays on this machine.

The counterpart of ``imap.py``: ldap3 talks; addresses, TLS and the verdict on every answer are ours."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import ldap3
from ldap3.core.exceptions import LDAPException, LDAPStartTLSError

from soar.lib import addresses, tls
from soar.lib.answers import RemoteError
from soar.lib.redact import Redactor

AUTO, STARTTLS, TLS, NONE = "auto", "starttls", "tls", "none"
SECURITY = (AUTO, STARTTLS, TLS, NONE)
CONNECT_SECONDS = 5
LONGEST_REASON = 300
SUCCESS, NO_SUCH_OBJECT, NO_SUCH_VALUE, TOO_MANY = 0, 32, 16, 4
PASSING = {3, 11, 51, 52, 80}  # time or admin limit, busy, unavailable, other: for now
WORDS = {
    8: "wants an encrypted or signed connection",
    10: "says that another server holds this (referral)",
    49: "refused the sign-in",
    50: "does not give the account of this connector the right to do that",
    53: "is unwilling to do that",
}
# What Active Directory adds to a refused sign-in ("data 52e").
WHY = {
    "525": "there is no such account",
    "52e": "wrong name or password",
    "530": "not allowed at this hour",
    "531": "not allowed from here",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password has to be changed first",
    "775": "the account is locked",
}
REASON = re.compile(r"\bdata ([0-9a-f]{3})\b")


@dataclass(frozen=True, slots=True)
class Directory:
    """Where the directory is. ``security``: ``auto`` is STARTTLS, which only a server on this very machine may lack.

    ``authority``: certificates of who alone may vouch for it (soar.lib.tls). ``seconds``: the longest silence; a whole
    conversation may take four times that."""

    host: str
    port: int
    security: str = AUTO
    verify: bool = True
    authority: str = ""
    allow_internal: bool = False
    username: str = ""
    password: str = field(default="", repr=False)
    seconds: int = 30


@dataclass(frozen=True, slots=True)
class Entry:
    """What was found: its name and the attributes that were asked for, by their names in lower case."""

    dn: str
    values: dict[str, list[str]]

    def one(self, name: str) -> str:
        """The first value of an attribute, "" for none."""
        return next(iter(self.values.get(name.lower(), [])), "")


class LdapError(RemoteError):
    """``code``: the result code of RFC 4511, -1 when there was no answer."""

    code = -1


class Session:
    """One conversation. Every method raises LdapError with the server's words."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.redactor = Redactor([directory.password])
        self.tls = _Tls(directory)
        self.encrypted = False
        self.connection: Any = None
        self.peer = ""

    def open(self) -> None:
        """Connect, encrypt as told, sign in."""
        self._connect()
        self.encrypted = self.directory.security == TLS
        if self.directory.security in (STARTTLS, AUTO):
            self._start_tls()
        if not self.encrypted and not addresses.is_loopback(self.peer):
            raise self._error("would get the password unencrypted; choose tls or starttls", permanent=True)
        if not (self.directory.username and self.directory.password):  # it would be taken for anonymous
            raise self._error("needs a user name and a password", permanent=True)
        self._judge(self._asked(lambda: self.connection.bind(read_server_info=False)))

    def find(self, base: str, filter_: str, attributes: Sequence[str], *, below: bool = True, most: int = 2) -> list[
        Entry
    ]:  # fmt: skip
        """At most ``most`` entries; of ``base`` alone unless ``below``. None where the base is missing."""
        scope = ldap3.SUBTREE if below else ldap3.BASE
        result = self._asked(
            lambda: self.connection.search(
                base, filter_, search_scope=scope, attributes=list(attributes), size_limit=most,
                time_limit=self.directory.seconds,
            )
        )  # fmt: skip
        if result["result"] not in (SUCCESS, NO_SUCH_OBJECT, TOO_MANY):
            self._judge(result)
        # Besides entries a domain names others of its forest (references); they are not followed.
        found = [one for one in self.connection.response or [] if one.get("type") == "searchResEntry"]
        return [_entry(one) for one in found]

    def modify(self, dn: str, changes: dict[str, list[tuple[str, list[str]]]]) -> None:
        """Change an entry, all of it or nothing. Of a lost answer the outcome is unknown."""
        self._judge(self._asked(lambda: self.connection.modify(dn, changes), effect=True))

    def close(self) -> None:
        """Sign off, as far as the server still listens."""
        if self.connection is not None:
            with suppress(OSError, LDAPException, AttributeError, TypeError):
                self.connection.unbind()

    def cut(self) -> None:
        """End it from outside: a server that drips its answer must not hold us."""
        made = self.connection.socket if self.connection is not None else None
        if made is not None:
            with suppress(OSError):
                # Not the method of a TLS socket: that one would first forget its keys and could go on in clear.
                socket.socket.shutdown(made, socket.SHUT_RDWR)

    def _connect(self) -> None:
        directory, problem = self.directory, LdapError(f"{self.directory.host} has no address", permanent=False)
        try:
            places = addresses.resolve(directory.host, directory.port, directory.allow_internal)
        except addresses.AddressRefused as error:
            raise self._error(f"is not reached: {error}", permanent=True) from None
        except (OSError, UnicodeError) as error:
            raise self._error(f"cannot be reached: {error}", permanent=False) from None
        for _family, place in places:
            self.peer = str(place[0])
            self.connection = self._made()
            try:
                self.connection.open(read_server_info=False)
            except (LDAPException, OSError) as error:
                problem = self._broken(error)
                if self.tls.problem:
                    break
            else:
                return
        raise problem

    def _made(self) -> Any:
        directory = self.directory
        server = ldap3.Server(
            self.peer, directory.port, use_ssl=directory.security == TLS, tls=self.tls, get_info=ldap3.NONE,
            connect_timeout=min(CONNECT_SECONDS, directory.seconds), allowed_referral_hosts=[],
        )  # fmt: skip
        return ldap3.Connection(
            server, directory.username or None, directory.password or None, client_strategy=ldap3.SYNC,
            authentication=ldap3.SIMPLE if directory.password and directory.username else ldap3.ANONYMOUS,
            auto_referrals=False, check_names=False, raise_exceptions=False, receive_timeout=directory.seconds,
        )  # fmt: skip

    def _start_tls(self) -> None:
        try:
            self.encrypted = bool(self.connection.start_tls(read_server_info=False))
        except LDAPStartTLSError:
            if self.tls.problem:
                raise self._broken(self.tls.problem) from None
        except Exception as error:  # see _asked
            raise self._broken(error) from None
        if not self.encrypted and not (self.directory.security == AUTO and addresses.is_loopback(self.peer)):
            raise self._error("offers no encryption (STARTTLS)", permanent=True)

    def _asked(self, act: Callable[[], Any], *, effect: bool = False) -> dict[str, Any]:
        """The result of an operation."""
        try:
            act()
        except Exception as error:  # its decoder stumbles in many ways over what is no LDAP
            problem = self._broken(error)
            problem.outcome_unknown = effect
            raise problem from None
        result = self.connection.result
        if not isinstance(result, dict) or not isinstance(result.get("result"), int):
            raise self._error("gave an answer that is not understood", permanent=False, unknown=effect)
        return result

    def _judge(self, result: dict[str, Any]) -> None:
        code = result["result"]
        if code == SUCCESS:
            return
        said = " ".join(str(result.get("message") or result.get("description") or "").replace("\x00", "").split())
        why = WHY.get((REASON.search(said) or ["", ""])[1], "") if code == 49 else ""
        text = f"{WORDS.get(code, 'refused')}{f', {why}' if why else ''} ({code}: {said})"
        error = self._error(self.redactor.text(text, LONGEST_REASON), permanent=code not in PASSING)
        error.code = code
        raise error

    def _broken(self, error: Exception) -> LdapError:
        """What went wrong outside of the dialogue itself."""
        if isinstance(self.tls.problem, ssl.SSLError):
            setup = (
                isinstance(self.tls.problem, ssl.SSLCertVerificationError)
                or self.tls.problem.reason == "WRONG_VERSION_NUMBER"
            )
            return self._error(f"cannot be reached encrypted: {self.tls.problem}", permanent=setup)
        text = self.redactor.text(" ".join(str(error).split()), LONGEST_REASON)
        return self._error(f"broke off: {text or type(error).__name__}", permanent=False)

    def _error(self, text: str, *, permanent: bool, unknown: bool = False) -> LdapError:
        return LdapError(f"{self.directory.host} {text}", permanent=permanent, outcome_unknown=unknown)


class _Tls(ldap3.Tls):  # type: ignore[misc]
    """The trust of all our connections, for the name that the admin wrote, though the address is connected to."""

    def __init__(self, directory: Directory) -> None:
        super().__init__()
        self._directory = directory
        self.problem: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:
        """Begin TLS on the connection's socket."""
        try:
            context = tls.context(self._directory.verify, self._directory.authority)
            connection.socket = context.wrap_socket(connection.socket, server_hostname=self._directory.host)
        except (OSError, ValueError) as error:
            self.problem = error
            raise


@contextmanager
def session(directory: Directory) -> Iterator[Session]:
    """A conversation that is signed in. Raises LdapError."""
    talk = Session(directory)
    clock = threading.Timer(4 * directory.seconds, talk.cut)
    clock.daemon = True
    clock.start()
    try:
        talk.open()
        yield talk
    finally:
        clock.cancel()
        talk.close()


def _entry(one: dict[str, Any]) -> Entry:
    raw = one.get("raw_attributes") or {}
    values = {str(name).lower(): [_text(item) for item in items] for name, items in raw.items()}
    return Entry(str(one.get("dn") or ""), values)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
