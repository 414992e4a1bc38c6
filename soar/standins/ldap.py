"""A domain controller on a loopback port: LDAP version 3 as Active Directory speaks it, refusals in its words.

State: ``entries`` (by distinguished name: attributes with lists of texts), ``modified``: what was changed, as (name,
attribute, value), ``signing``: whether a password without encryption is refused, ``rival``: how often somebody else
changes an account right before we do."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import suppress
from typing import Any, ClassVar

from soar.standins import ldap_words as words
from soar.standins.base import Standin
from soar.standins.certificate import self_signed
from soar.standins.ldap_words import Refusal

BASE = "DC=practice,DC=example"
USERNAME, PASSWORD = f"CN=Soar,OU=Service,{BASE}", "a-range-password"
NORMAL, DISABLED = 0x200, 0x2
SET_AT = "133700000000000000"
AD_REFUSES = "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data 52e, v4563"
STARTTLS = b"1.3.6.1.4.1.1466.20037"
# What an ordered fault answers instead, at which operation; "" = the connection ends there.
FAULTS = {
    "401": ("bind", 49, AD_REFUSES),
    "403": ("modify", 50, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0"),
    "404": ("search", 32, "0000208D: NameErr: DSID-0310020A, problem 2001 (NO_OBJECT)"),
    "429": ("search", 51, "the server is busy"),
    "500": ("modify", 80, "00000001: SvcErr: DSID-031A1254, problem 5012 (DIR_ERROR), data 0"),
    "503": ("bind", 52, "00000000: LdapErr: the server is shutting down"),
    "before": ("greeting", 0, ""),
    "html": ("greeting", 0, "<!doctype html><h1>This is no directory</h1>"),
    "garbage": ("search", 0, "\x30\x03\x02\x01\x01"),
    "after": ("modified", 0, ""),
}


class Ldap(Standin):
    """``context``: TLS by that, from the start with ``ldaps``, else by STARTTLS."""

    kind = "ldap"
    settings: ClassVar[dict[str, str]] = {"base_dn": BASE, "domain": "PRACTICE"}
    secrets: ClassVar[dict[str, str]] = {"username": USERNAME, "password": PASSWORD}
    lasting = True

    def __init__(
        self, port: int = 0, *, tls: bool = False, ldaps: bool = False, context: ssl.SSLContext | None = None
    ) -> None:
        super().__init__()
        self.context = context or (self_signed() if tls or ldaps else None)
        self.ldaps = ldaps
        self._server = _Server(("127.0.0.1", port), _Session)
        self._server.standin = self
        self.port = self._server.server_address[1]

    def url(self, base: str) -> str:
        """A directory, not a web server."""
        return f"{'ldaps' if self.ldaps else 'ldap'}://{'localhost' if self.context else '127.0.0.1'}:{self.port}"

    def open(self) -> None:
        """Take connections."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Take none any more."""
        self._server.shutdown()
        self._server.server_close()

    def fresh(self) -> dict[str, Any]:
        """The accounts of the demo."""
        people = [person("Soar", "soar", "Service"), person("Anna Voss", "a.voss"), person("krbtgt", "krbtgt")]
        people += [person(name, name) for name in ("j.berg", "svc-backup", "o'neil(ext)*", "nora", "kim")]
        people[2][1]["isCriticalSystemObject"] = ["TRUE"]
        people[4][1]["userAccountControl"] = [str(NORMAL | 0x10000)]
        host = (f"CN=LT-0042,CN=Computers,{BASE}", {"objectClass": ["top", "user", "computer"],
                "sAMAccountName": ["LT-0042$"], "userAccountControl": ["4096"]})  # fmt: skip
        top = {"objectClass": ["top", "domain"]}
        return {"entries": {BASE: top, **dict([*people, host])}, "modified": [], "signing": False, "rival": 0}

    def stamp(self) -> object:
        """Only changes of accounts matter."""
        return (len(self.state["modified"]), len(self.state["entries"]))

    def account(self, login: str) -> dict[str, list[str]]:
        """The attributes of the account with this login name."""
        entries: dict[str, dict[str, list[str]]] = self.state["entries"]
        return next(one for one in entries.values() if one.get("sAMAccountName") == [login])

    def fault(self) -> dict[str, Any] | None:
        """The fault that was ordered for the next connection."""
        return self._next_fault()

    def bind(self, name: str, password: str, encrypted: bool) -> None:
        """Raises Refusal. A name without password is anonymous, and welcome."""
        if name and not password:
            return
        if self.state["signing"] and not encrypted:
            raise Refusal(
                8, "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity"
            )
        if name not in (USERNAME, "soar@practice.example", "PRACTICE\\soar") or password != PASSWORD:
            raise Refusal(49, AD_REFUSES)

    def search(self, base: str, scope: int, matches: Any) -> list[tuple[str, dict[str, list[str]]]]:
        """The entries. Raises Refusal where the base is missing."""
        entries = self.state["entries"]
        if not any(one.casefold() == base.casefold() for one in entries):
            raise Refusal(32, FAULTS["404"][2])
        return [
            (dn, values)
            for dn, values in entries.items()
            if (dn.casefold() == base.casefold() or (scope == 2 and dn.casefold().endswith("," + base.casefold())))
            and matches(values)
        ]

    def modify(self, dn: str, changes: list[tuple[int, str, list[str]]]) -> None:
        """All of it or nothing. Raises Refusal by the rules of the account manager."""
        found = next((one for one in self.state["entries"] if one.casefold() == dn.casefold()), None)
        if found is None:
            raise Refusal(32, FAULTS["404"][2])
        if self.state["rival"] > 0:
            self.state["rival"] -= 1
            control = self.state["entries"][found]["userAccountControl"]
            control[0] = str(int(control[0]) ^ 0x20)
        values = {name: list(given) for name, given in self.state["entries"][found].items()}
        for how, name, given in changes:
            words.apply(values, how, name, given)
        for _how, name, given in changes:
            _lawful(name, values.get(name, []))
            self.state["modified"].extend([dn, name, value] for value in values.get(name, []) if value in given)
        self.state["entries"][found] = values


def person(name: str, login: str, folder: str = "Staff") -> tuple[str, dict[str, list[str]]]:
    """An enabled account."""
    return f"CN={name},OU={folder},{BASE}", {
        "objectClass": ["top", "person", "organizationalPerson", "user"],
        "sAMAccountName": [login],
        "userPrincipalName": [f"{login}@practice.example"] if login != "kim" else [],
        "userAccountControl": [str(NORMAL)],
        "pwdLastSet": [SET_AT],
        "lockoutTime": ["0"],
    }


def _lawful(name: str, values: list[str]) -> None:
    if len(values) > 1:
        raise Refusal(20, "00002083: AtrErr: DSID-03151785, problem 1006 (ATT_OR_VALUE_EXISTS)")
    if name == "pwdLastSet" and values not in (["0"], ["-1"]):
        raise Refusal(53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0")
    if name == "lockoutTime" and values != ["0"]:
        raise Refusal(53, "00000057: SvcErr: DSID-031A1204, problem 5003 (WILL_NOT_PERFORM), data 0")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    standin: Ldap


class _Session(socketserver.BaseRequestHandler):
    """One connection."""

    server: _Server

    def handle(self) -> None:
        self.standin = self.server.standin
        self.encrypted = self.signed_in = False
        self.stream: Any = self.request
        fault = self.standin.fault()
        self.stage, self.code, self.text = FAULTS.get(fault["kind"], ("", 0, "")) if fault else ("", 0, "")
        if self.stage == "greeting":
            with suppress(OSError):
                self.stream.sendall(self.text.encode())
            return
        with suppress(OSError, ValueError, IndexError):
            self._talk()

    def _talk(self) -> None:
        if self.standin.ldaps:
            self._encrypt()
        while message := words.read(self.stream):
            number, operation, given = words.request_of(message)
            if operation == "unbind":
                return
            if self.stage and operation.startswith(self.stage) and not self.code:
                self.stream.sendall(self.text.encode("latin-1"))
                return
            try:
                answers = self._answered(operation, given)
            except Refusal as refusal:
                answers = [words.result(operation, refusal.code, str(refusal))]
            if self.stage == "modified" and operation == "modify":
                return  # it is done, and nobody is told
            for one in answers:
                self.stream.sendall(words.framed(number, one))
            if operation == "extended" and answers == [words.result(operation)]:
                self._encrypt()

    def _answered(self, operation: str, given: Any) -> list[Any]:
        if self.stage and operation.startswith(self.stage):
            raise Refusal(self.code, self.text)
        if operation == "bind":
            self.standin.bind(*words.credentials(given), self.encrypted)
            self.signed_in = bool(words.credentials(given)[1])
            return [words.result(operation)]
        if operation == "extended":
            if given[0][1] != STARTTLS or self.standin.context is None or self.encrypted:
                raise Refusal(52, "00000000: LdapErr: DSID-0C090DF5, comment: Error initializing SSL/TLS")
            return [words.result(operation)]
        if not self.signed_in:
            raise Refusal(1, "000004DC: LdapErr: DSID-0C090A71, comment: In order to perform this operation a "
                             "successful bind must be completed on the connection.")  # fmt: skip
        with self.standin.lock:
            if operation == "search":
                return self._searched(given)
            if operation == "modify":
                self.standin.modify(*words.changes(given))
                return [words.result(operation)]
        raise Refusal(2, "protocol error")

    def _searched(self, given: Any) -> list[Any]:
        base, scope, most, names = words.search_of(given)
        found = self.standin.search(base, scope, lambda values: words.matches(given[6], values))
        answers = [words.entry(dn, values, names) for dn, values in found[: most or None]]
        if scope == 2 and base.casefold() == BASE.casefold():
            answers.append(words.reference(f"ldap://ForestDnsZones.practice.example/DC=ForestDnsZones,{BASE}"))
        over = most and len(found) > most
        return [*answers, words.result("search", 4 if over else 0)]

    def _encrypt(self) -> None:
        assert self.standin.context is not None
        self.stream = self.standin.context.wrap_socket(self.stream, server_side=True)
        self.encrypted = True
