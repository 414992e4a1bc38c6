"""Google Cloud IAM: taking a service account's access away and giving back exactly what was taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CLOUD_ACCOUNT, Result, Target
from soar.connectors.google_iam import signing_in
from soar.connectors.google_iam.api import Google, GoogleError, Row, understood
from soar.connectors.google_iam.identity import PROJECT, named
from soar.connectors.kinds import Kind, Setting

REVOKE, RESTORE = "revoke_cloud_access", "restore_cloud_access"
BOTH, KEYS = "account and keys", "keys"
CHANGED = re.compile(r"/serviceAccounts/(?P<account>\d+)(?:/keys/(?P<key>\w+))?:(?P<verb>disable|enable)")
MISSING = "NOT_FOUND"
NEEDS = (
    "iam.serviceAccounts.get",
    "iam.serviceAccounts.disable",
    "iam.serviceAccounts.enable",
    "iam.serviceAccountKeys.list",
    "iam.serviceAccountKeys.disable",
    "iam.serviceAccountKeys.enable",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was disabled of a service account: itself, and these keys."""

    account: bool
    keys: frozenset[str]


class GoogleIam(Google):
    """Service accounts are changed by their unique id: one that is made anew under the same address has another one."""

    kind = "google_iam"
    serves: ClassVar[frozenset[str]] = frozenset({REVOKE, RESTORE})
    repeatable: ClassVar[frozenset[str]] = serves

    @classmethod
    def responsible(cls, settings: Mapping[str, Any], target: Target) -> bool:
        """See Responder. For the service accounts of its project."""
        try:
            named(target, str(settings.get("project") or ""))
        except ConnectorError:
            return False
        return True

    def check(self) -> str:
        """List a service account, and ask what may be done to it. Raises ConnectorError."""
        where = f"v1/projects/{self._project()}/serviceAccounts"
        listed = self.get("test", where, params={"pageSize": 1}).get("accounts")
        text = f"Google takes the key of {self.key_file().email}."
        if not isinstance(listed, list) or not listed:
            return f"{text} {self._project()} has no service accounts."
        place = f"{where}/{quote(str(listed[0].get('uniqueId')), safe='')}:testIamPermissions"
        asked = self.call("test.permissions", "POST", place, json={"permissions": list(NEEDS)}, idempotent=True)
        given = understood(asked).get("permissions") or []
        lacking = [one for one in NEEDS if one not in given]
        return f"{text} It lacks: {', '.join(lacking)}." if lacking else text

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. ``params["undoes"]``: what came of revoking; without it, what was disabled from here last."""
        who = named(target, self._project())
        if capability == REVOKE:
            return self._revoke(self._account(who, REVOKE), key)
        if capability == RESTORE:
            return self._restore(who, params.get("undoes"), key)
        raise ConnectorError(f"Google Cloud cannot do {capability}.", permanent=True)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. Unique id and keys are known only when Google is asked."""
        who = named(target, self._project())
        place = self._place("UNIQUE-ID")
        verb = {REVOKE: "disable", RESTORE: "enable"}.get(capability)
        if verb is None:
            raise ConnectorError(f"Google Cloud cannot do {capability}.", permanent=True)
        changed = [f"{place}/keys/KEY-ID:{verb}", *([f"{place}:{verb}"] if self._whole() else [])]
        found = [self._place(who), *([f"{place}/keys"] if capability == REVOKE else [])]
        steps = [("GET", one) for one in found] + [("POST", one) for one in reversed(changed)]
        return [self.preview(method, path)["request"] for method, path in steps]

    def _revoke(self, account: Row, key: str) -> Result:
        unique, email = str(account["uniqueId"]), str(account.get("email"))
        if email == self.key_file().email:
            text = f"{email} is the service account that this connector signs in with. Nothing was changed."
            raise ConnectorError(text, permanent=True)
        self.about_to(CLOUD_ACCOUNT, unique, email, account.get("name"))
        keys = self._keys(unique)
        # What an earlier try of this task disabled is ours to give back, though it is found disabled now.
        before = self._sent(unique, Q(idempotency_key=key[:200])) if key else Taken(False, frozenset())
        whole = self._whole() and not account.get("disabled")
        if whole:
            self.change(REVOKE, f"{self._place(unique)}:disable", key=key)
        active = [name for name, disabled in keys.items() if not disabled]
        self._disable_keys(unique, active, key, said=f"{email} is disabled, but not all of its keys: " if whole else "")
        taken = Taken(whole or before.account, before.keys | set(active))
        data = {"email": email, "unique_id": unique, "account": taken.account, "keys": sorted(taken.keys)}
        data["changed"] = taken.account or bool(taken.keys)
        return Result("done", _told(email, taken, disabled=bool(account.get("disabled"))), data=data)

    def _disable_keys(self, unique: str, names: list[str], key: str, said: str) -> None:
        for name in sorted(names):
            try:
                self.change(REVOKE, f"{self._place(unique)}/keys/{name}:disable", key=key)
            except GoogleError as error:
                error.message = f"{said}{error.message}"
                raise

    def _restore(self, who: str, undoes: Any, key: str) -> Result:
        # What became of it nobody knows: then what was sent from here tells.
        told: Row = undoes if isinstance(undoes, dict) and "unique_id" in undoes else {}
        account = self._account(str(told.get("unique_id") or who), RESTORE)
        unique, email = str(account["uniqueId"]), str(account.get("email"))
        if told:
            names = told.get("keys")
            listed = names if isinstance(names, list) else []
            taken = Taken(told.get("account") is True, frozenset(map(str, listed)))
        else:
            taken = self._sent(unique, ~Q(idempotency_key=key[:200]))
        given = [name for name in sorted(taken.keys) if self._enable_key(unique, name, key)]
        if taken.account:
            self.change(RESTORE, f"{self._place(unique)}:enable", key=key)
        data = {"email": email, "unique_id": unique, "account": taken.account, "keys": given}
        if not taken.account and not given:
            return Result("done", f"There was nothing to give back to {email}.", data=data)
        parts = [f"{email} is enabled"] if taken.account else []
        parts += [f"{_counted(len(given))} of {email} enabled" if not parts else f"{_counted(len(given))} too"] * bool(
            given
        )
        gone = len(taken.keys) - len(given)
        left = f" {_counted(gone)} deleted meanwhile." if gone else ""
        return Result("done", f"{', '.join(parts)}.{left}", data=data)

    def _enable_key(self, unique: str, name: str, key: str) -> bool:
        """False for a key that was deleted meanwhile."""
        try:
            self.change(RESTORE, f"{self._place(unique)}/keys/{quote(name, safe='')}:enable", key=key)
        except GoogleError as error:
            if error.word != MISSING:
                raise
            return False
        return True

    def _account(self, who: str, operation: str) -> Row:
        """The service account as Google tells it. Raises ConnectorError."""
        try:
            found = self.get(f"{operation}.account", self._place(who))
        except GoogleError as error:
            if error.word == MISSING:
                text = f"There is no service account {who} in the project {self._project()}."
                raise ConnectorError(text, permanent=True) from None
            raise
        if not str(found.get("uniqueId") or "").isdigit():
            raise GoogleError("Google answered with something that is no service account.", permanent=False)
        return found

    def _keys(self, unique: str) -> dict[str, bool]:
        """Whether it is disabled, by key; those that Google manages itself cannot be disabled."""
        listed = self.get(f"{REVOKE}.keys", f"{self._place(unique)}/keys", params={"keyTypes": "USER_MANAGED"}).get(
            "keys"
        )
        rows = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        return {str(one.get("name", "")).rpartition("/")[2]: one.get("disabled") is True for one in rows}

    def _sent(self, unique: str, which: Q) -> Taken:
        """What was disabled from here by ``which`` calls, and not enabled from here since: "" is the account itself. A
        failing server may have done it all the same."""
        arrived = ~Q(status="unsuccessful") | Q(response__status__gte=500)
        rows = self.account.attempts.filter(which, arrived, operation__in=(REVOKE, RESTORE))
        last: dict[str, bool] = {}  # whether the newest call disabled it
        for row in rows.order_by("-pk")[:500]:
            match = CHANGED.search(urlsplit(str(row.request.get("url"))).path)
            if match is None or match["account"] != unique:
                continue
            disabled = match["verb"] == "disable"
            if disabled or row.status == "successful":  # to enable twice does no harm, not to enable does
                last.setdefault(match["key"] or "", disabled)
        ours = {name for name, disabled in last.items() if disabled}
        return Taken("" in ours, frozenset(ours - {""}))

    def _place(self, who: str) -> str:
        return f"v1/projects/{self._project()}/serviceAccounts/{quote(who, safe='@')}"

    def _project(self) -> str:
        return str(self.account.settings.get("project") or "")

    def _whole(self) -> bool:
        return bool(self.account.settings.get("revoke", BOTH) == BOTH)


def _told(email: str, taken: Taken, *, disabled: bool) -> str:
    keys = f"{_counted(len(taken.keys))} disabled"
    if taken.account:
        return f"{email} is disabled; {keys}."
    return f"{email} was disabled already; {keys}." if disabled else f"Of {email}: {keys}."


def _counted(number: int) -> str:
    return f"{number} {'key' if number == 1 else 'keys'}"


def problems(settings: Row, secrets: Row) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    errors = {}
    if not PROJECT.fullmatch(settings["project"]):
        errors["project"] = _("Give the project's id, such as acme-prod-1234 (not its name or number).")
    if text := str(secrets.get("key_file") or ""):
        try:
            signing_in.read(text)
        except ValueError as error:
            errors["key_file"] = str(error)
    parts = urlsplit(settings["url"])
    if parts.scheme == "http" and not settings.get("allow_internal"):
        errors["url"] = _("The access token would go unencrypted: the address must begin with https://.")
    return errors


KIND = Kind(
    name="google_iam",
    label=gettext_noop("Google Cloud IAM"),
    connector=GoogleIam,
    address=Setting(
        "url", gettext_noop("Address of the IAM API"), form="url", required=True, default="https://iam.googleapis.com"
    ),
    settings=(
        Setting("project", gettext_noop("Id of the project whose service accounts are acted on"), required=True),
        Setting(
            "revoke",
            gettext_noop(
                "What is disabled: the service account and its keys, or the keys alone (what runs as it goes on)"
            ),
            form="choice",
            choices=(BOTH, KEYS),
            default=BOTH,
        ),
    ),
    secrets=(Setting("key_file", gettext_noop("Key file of a service account (JSON)"), form="lines", required=True),),
    rules=problems,
)
