"""Accounts of Active Directory over LDAP: disabled, enabled, unlocked, made to choose a new password."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from urllib.parse import urlsplit

import ldap3
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors import attempts
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.domains import DOMAIN
from soar.connectors.kinds import Kind, Setting
from soar.connectors.ldap import accounts
from soar.connectors.ldap.accounts import ATTRIBUTES, CONTROL, LOCKED, LOGIN, SET_AT
from soar.connectors.responder import Responder
from soar.lib import ldap
from soar.lib.ldap import Entry, LdapError, Session

DISABLED, NEVER_EXPIRES = 0x2, 0x10000  # of userAccountControl
PORTS = {ldap.TLS: 636}
TRIES = 3  # when somebody else changes the same account at the same moment
DISABLE, ENABLE, UNLOCK, RESET = "disable_account", "enable_account", "unlock_account", "reset_password"
Changes = dict[str, list[tuple[str, list[str]]]]


class Ldap(Responder):
    """What is asked for twice is done once."""

    kind = "ldap"
    serves: ClassVar[frozenset[str]] = frozenset({DISABLE, ENABLE, UNLOCK, RESET})
    repeatable: ClassVar[frozenset[str]] = serves

    def check(self) -> str:
        """Sign in and look at the base. Raises ConnectorError."""
        base = self._base()
        with self._session() as session:
            found = self._tried(
                "test",
                {"base": base},
                lambda: session.find(base, "(objectClass=*)", ["objectClass"], below=False),
            )
        how = "encrypted" if session.encrypted else "not encrypted"
        if not found:
            raise ConnectorError(f"The sign-in works, but there is no {base}, or it may not be read.", permanent=True)
        return f"{session.directory.host} takes the sign-in ({how}) and shows {base}."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        self._question(capability, target)
        with self._session() as session:
            for last in (*[False] * (TRIES - 1), True):
                entry = self._found(session, target)
                self.about_to(target.kind, *accounts.names_of(entry, self.account.settings))
                changes = wanted(capability, entry)
                if not changes:
                    return self._already(capability, entry, key)
                try:
                    self._modify(session, capability, entry, changes, key)
                except LdapError as error:
                    if error.code != ldap.NO_SUCH_VALUE:
                        raise ConnectorError.of(error) from None
                    if last:
                        text = f"{entry.dn} is being changed by others; it is tried again later."
                        raise ConnectorError(text, permanent=False) from None
                    continue
                text = f"{DONE[capability]}: {entry.dn}."
                return Result("done", text, request=_shown(entry.dn, changes), data=_data(entry, changed=True))
        raise AssertionError("the last try returns or raises")

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. What an account's flags are is known only when the directory is asked."""
        base, filter_, below = self._question(capability, target)
        scope = "subtree" if below else "base"
        find = {"method": "LDAP search", "url": self._url(), "base": base, "scope": scope, "filter": filter_}
        return [find, {"method": "LDAP modify", "url": self._url(), "changes": PLANS[capability]}]

    def _question(self, capability: str, target: Target) -> tuple[str, str, bool]:
        if capability not in self.serves:
            raise ConnectorError(f"A directory cannot do {capability}.", permanent=True)
        return accounts.question(target, self.account.settings)

    def _found(self, session: Session, target: Target) -> Entry:
        base, filter_, below = accounts.question(target, self.account.settings)
        login = str(self.account.settings.get("login_attribute") or LOGIN)
        wanted_ones = [*ATTRIBUTES, *([login] if login not in ATTRIBUTES else [])]
        asked = {"base": base, "filter": filter_}
        entry = accounts.chosen(
            self._tried("find account", asked, lambda: session.find(base, filter_, wanted_ones, below=below)), target
        )
        if accounts.is_own(entry, session.directory.username, self.account.settings):
            text = f"{entry.dn} is the account that this connector signs in with. Nothing was changed."
            raise ConnectorError(text, permanent=True)
        return entry

    def _already(self, capability: str, entry: Entry, key: str) -> Result:
        """It is so already: perhaps by a try of this very task whose answer was lost."""
        ours = self.tried(capability, key)
        text = f"{DONE[capability]}: {entry.dn}." if ours else f"{ALREADY[capability]}: {entry.dn}."
        return Result("done", text, data=_data(entry, changed=ours))

    def _modify(self, session: Session, capability: str, entry: Entry, changes: Changes, key: str) -> None:
        """Raises LdapError."""
        attempt = attempts.begin(self.account, capability, _shown(entry.dn, changes), key=key, cause=self.cause)
        try:
            session.modify(entry.dn, changes)
        except LdapError as error:
            attempts.fail(attempt, error)
            raise
        except BaseException:
            attempts.lose(attempt)
            raise
        attempts.succeed(attempt, {"result": "success"})

    def _tried(self, operation: str, request: dict[str, Any], act: Callable[[], list[Entry]]) -> list[Entry]:
        """A question with its attempt. Raises ConnectorError."""
        sent = {"url": self._url(), **request}
        attempt = attempts.begin(self.account, operation, sent, key="", cause=self.cause)
        try:
            found = act()
        except LdapError as error:
            attempts.fail(attempt, error)
            raise ConnectorError.of(error) from None
        except BaseException:
            attempts.lose(attempt)
            raise
        attempts.succeed(attempt, {"found": [{"dn": one.dn, **one.values} for one in found]})
        return found

    @contextmanager
    def _session(self) -> Iterator[Session]:
        """Signed in, with an attempt of its own that says how that went. Raises ConnectorError."""
        if self.dry_run:
            raise ConnectorError("In a dry run nothing is sent.", permanent=True)
        if not self.account.enabled:
            raise ConnectorError(f"The connector {self.account.name} is disabled.", permanent=True)
        attempt = attempts.begin(self.account, "sign in", {"url": self._url()}, key="", cause=self.cause)
        open_ = True
        try:
            with ldap.session(self._directory()) as session:
                attempts.succeed(attempt, {"encrypted": session.encrypted})
                open_ = False
                yield session
        except LdapError as error:
            if open_:
                attempts.fail(attempt, error)
            raise ConnectorError.of(error) from None
        except BaseException:
            if open_:
                attempts.lose(attempt)
            raise

    def _directory(self) -> ldap.Directory:
        account, parts = self.account, urlsplit(self._url())
        security = ldap.TLS if parts.scheme == "ldaps" else str(account.settings.get("security") or ldap.AUTO)
        return ldap.Directory(
            parts.hostname or "",
            parts.port or PORTS.get(security, 389),
            security,
            verify=account.verify_tls,
            authority=self.authority(),
            allow_internal=account.allow_internal,
            username=str(account.secrets.get("username") or ""),
            password=str(account.secrets.get("password") or ""),
            seconds=account.timeout_seconds,
        )

    def _url(self) -> str:
        return str(self.account.settings.get("url") or "")

    def _base(self) -> str:
        return str(self.account.settings.get("base_dn") or "")


DONE = {DISABLE: "Disabled", ENABLE: "Enabled", UNLOCK: "Unlocked", RESET: "Has to change the password at next logon"}
ALREADY = {
    DISABLE: "It was disabled already",
    ENABLE: "It was enabled already",
    UNLOCK: "It was not locked",
    RESET: "It has to change the password at next logon already",
}
PLANS: dict[str, dict[str, str]] = {
    DISABLE: {CONTROL: "the value found, with the bit ACCOUNTDISABLE (2)"},
    ENABLE: {CONTROL: "the value found, without the bit ACCOUNTDISABLE (2)"},
    UNLOCK: {LOCKED: "0"},
    RESET: {SET_AT: "0"},
}


def wanted(capability: str, entry: Entry) -> Changes:
    """What is to be changed of an account; nothing if it is so already. Raises ConnectorError."""
    if capability == UNLOCK:
        return {} if entry.one(LOCKED) in ("", "0") else {LOCKED: [(ldap3.MODIFY_REPLACE, ["0"])]}
    control = _control(entry)
    if capability == RESET:
        if control & NEVER_EXPIRES:
            text = f"The password of {entry.dn} never expires, so the directory would not ask for a new one."
            raise ConnectorError(f"{text} Nothing was changed.", permanent=True)
        return {} if entry.one(SET_AT) == "0" else {SET_AT: [(ldap3.MODIFY_REPLACE, ["0"])]}
    new = control | DISABLED if capability == DISABLE else control & ~DISABLED
    if new == control:
        return {}
    # Made only while the old flags are there: whoever changed another of them meanwhile is not overwritten.
    return {CONTROL: [(ldap3.MODIFY_DELETE, [str(control)]), (ldap3.MODIFY_ADD, [str(new)])]}


def _control(entry: Entry) -> int:
    text = entry.one(CONTROL)
    if not re.fullmatch(r"-?[0-9]{1,10}", text):
        text = f"{entry.dn} shows no {CONTROL}: no account of Active Directory, or it may not be read."
        raise ConnectorError(text, permanent=True)
    return int(text)


def _data(entry: Entry, *, changed: bool) -> dict[str, Any]:
    return {"dn": entry.dn, "changed": changed, CONTROL: entry.one(CONTROL)}


def _shown(dn: str, changes: Changes) -> dict[str, Any]:
    told = {name: [f"{how} {value}" for how, values in steps for value in values] for name, steps in changes.items()}
    return {"method": "LDAP modify", "dn": dn, "changes": told}


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = {}
    if settings["proxy"]:
        found["proxy"] = _("A directory is not reached through a proxy.")
    if urlsplit(settings["url"]).scheme == "ldaps" and settings["security"] not in (ldap.AUTO, ldap.TLS):
        found["security"] = _("ldaps:// is TLS from the start; write ldap:// for anything else.")
    if not accounts.is_dn(settings["base_dn"]):
        found["base_dn"] = _("Write a distinguished name like DC=corp,DC=example,DC=com.")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,60}", settings["login_attribute"] or LOGIN):
        found["login_attribute"] = _("The name of an attribute has letters, digits and hyphens.")
    return found


KIND = Kind(
    name="ldap",
    label=gettext_noop("LDAP / Active Directory"),
    connector=Ldap,
    address=Setting(
        "url",
        gettext_noop("Domain controller, ldaps://host:636 or ldap://host:389"),
        "url",
        True,
        schemes=("ldap", "ldaps"),
    ),
    rules=problems,
    settings=(
        Setting(
            "security",
            gettext_noop("Encryption: automatic is STARTTLS, which only a server on this machine may lack"),
            "choice",
            choices=ldap.SECURITY,
            default=ldap.AUTO,
        ),
        Setting("base_dn", gettext_noop("Where accounts are looked for, DC=corp,DC=example,DC=com"), required=True),
        DOMAIN,
        Setting("login_attribute", gettext_noop("Attribute that holds the login name"), default=LOGIN),
    ),
    secrets=(
        Setting(
            "username", gettext_noop("Who signs in: a distinguished name, user@domain or DOMAIN\\user"), required=True
        ),
        Setting("password", gettext_noop("Password"), required=True),
    ),
)
