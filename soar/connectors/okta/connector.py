"""Okta: users suspended and given back, unlocked, signed out, made to change their password."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.domains import DOMAIN
from soar.connectors.kinds import Kind, Setting
from soar.connectors.okta import users
from soar.connectors.okta.api import STATE, OktaApi, OktaError, Row
from soar.connectors.okta.users import login_of

DISABLE, ENABLE, UNLOCK = "disable_account", "enable_account", "unlock_account"
SIGN_OUT, RESET = "sign_out", "reset_password"
ACTIVE, SUSPENDED, LOCKED, EXPIRED, DEACTIVATED = (
    "ACTIVE",
    "SUSPENDED",
    "LOCKED_OUT",
    "PASSWORD_EXPIRED",
    "DEPROVISIONED",
)
LIFECYCLE = "/lifecycle/"


@dataclass(frozen=True, slots=True)
class Change:
    """A call below the user's address. ``told``, ``already``: the sentences when it is done, and was so before."""

    method: str
    below: str
    told: str
    already: str = ""


CHANGES: Mapping[str, Change] = {
    DISABLE: Change("POST", f"{LIFECYCLE}suspend", "{} is suspended.", "{} could not sign in already ({})."),
    ENABLE: Change("POST", f"{LIFECYCLE}unsuspend", "{} is not suspended any more.", "{} was not suspended ({})."),
    UNLOCK: Change("POST", f"{LIFECYCLE}unlock", "{} is unlocked.", "{} was not locked ({})."),
    SIGN_OUT: Change("DELETE", "/sessions", "The sessions and tokens of {} are revoked."),
    RESET: Change(
        "POST",
        f"{LIFECYCLE}expire_password",
        "{} has to change the password at the next sign-in.",
        "{} has to change the password at the next sign-in already ({}).",
    ),
}


class Okta(OktaApi):
    """The user's own state is looked at before each change, so all of it may be sent again."""

    kind = "okta"
    serves: ClassVar[frozenset[str]] = frozenset(CHANGES)
    repeatable: ClassVar[frozenset[str]] = serves

    def check(self) -> str:
        """Ask who the token belongs to, and look at the users. Raises ConnectorError."""
        owner = self._me("test")
        self.get("test", users.PATH, params={"limit": 1})
        whose = f" of {login_of(owner)}" if owner else ""
        return f"Okta takes the token{whose} and shows the users."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        change = self._change(capability)
        user = users.user_of(self, target, capability)
        self.about_to(target.kind, *users.names_of(user))
        self._refuse(capability, user)
        if self._is_done(capability, user, key):
            return self._already(capability, change, user, key)
        try:
            answer = self.send(capability, change.method, _place(user, change), key=key, **_content(capability))
        except OktaError as error:
            if error.code == STATE:
                return self._in_the_way(capability, change, user, key, error)
            raise
        request = self.preview(change.method, _place(user, change), **_content(capability))["request"]
        text = change.told.format(login_of(user)) + _warning(capability, user)
        kept = {"status": answer.status}
        return Result("done", text, request=request, answer=kept, data=_data(user, changed=True))

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. The user's id is known only when Okta is asked."""
        change, name = self._change(capability), users.name_of(target, self.account.settings)
        found = self.preview("GET", users.place(name))["request"]
        where = f"{users.PATH}/ID-OF-THE-USER{change.below}"
        return [found, self.preview(change.method, where, **_content(capability))["request"]]

    def _change(self, capability: str) -> Change:
        change = CHANGES.get(capability)
        if change is None:
            raise ConnectorError(f"Okta cannot do {capability}.", permanent=True)
        return change

    def _refuse(self, capability: str, user: Row) -> None:
        """Raises ConnectorError for a user that this cannot or must not be done to."""
        name, status = login_of(user), _status(user)
        if user.get("transitioningToStatus"):
            raise ConnectorError(f"Okta is still changing {name}; it is asked again later.", permanent=False)
        if capability in (DISABLE, SIGN_OUT, RESET) and self._me(capability).get("id") == user["id"]:
            raise _no(f"{name} is the user whose API token this connector uses. Nothing was changed.")
        if capability in (ENABLE, UNLOCK, RESET) and status == DEACTIVATED:
            raise _no(f"{name} is deactivated in Okta; that is taken back by hand alone. Nothing was changed.")
        if capability == DISABLE and status not in (ACTIVE, SUSPENDED, DEACTIVATED):
            raise _no(f"Okta suspends active users alone, and {name} is {status}. Nothing was changed.")
        if capability == RESET and (provider := _provider(user)) in ("FEDERATION", "SOCIAL"):
            raise _no(f"{name} signs in elsewhere ({provider}) and has no password in Okta. Nothing was changed.")

    def _is_done(self, capability: str, user: Row, key: str) -> bool:
        status = _status(user)
        if capability == DISABLE:
            return status in (SUSPENDED, DEACTIVATED)
        if capability == ENABLE:
            return status != SUSPENDED
        if capability == UNLOCK:
            return status != LOCKED
        if capability == RESET:
            since, changed = self._first_try(RESET, key), _moment(user.get("passwordChanged"))
            # Who has obeyed meanwhile need not do so once more.
            return status == EXPIRED or (since is not None and changed is not None and changed >= since)
        return False

    def _already(self, capability: str, change: Change, user: Row, key: str) -> Result:
        """It is so already: perhaps by a try of this very task whose answer was lost."""
        ours = self._first_try(capability, key) is not None
        text = change.told if ours else change.already
        warning = _warning(capability, user) if ours else ""
        return Result("done", text.format(login_of(user), _status(user)) + warning, data=_data(user, changed=ours))

    def _in_the_way(self, capability: str, change: Change, user: Row, key: str, error: OktaError) -> Result:
        """The user's state changed since it was looked at: to what was wanted, or to something that stands against it.

        Raises ConnectorError."""
        now = self.get(f"{capability}.user", users.place(str(user["id"])))
        if isinstance(now, dict) and self._is_done(capability, now, ""):
            return self._already(capability, change, now, "")
        error.message = f"{error.message} {login_of(user)} is {_status(now if isinstance(now, dict) else user)}."
        raise error

    def _first_try(self, operation: str, key: str) -> datetime | None:
        """When this was first sent for the task, unless it was refused."""
        if not key:
            return None
        mine = self.account.attempts.filter(operation=operation, idempotency_key=key[:200])
        # A failing server may have done it all the same.
        rows = mine.filter(~Q(status="unsuccessful") | Q(response__status__gte=500)).order_by("started_at")
        return rows.values_list("started_at", flat=True).first()

    def _me(self, operation: str) -> Row:
        """The owner of the token; empty where Okta does not tell it."""
        try:
            found = self.get(f"{operation}.me", f"{users.PATH}/me")
        except OktaError as error:
            if error.status in (403, 404):
                return {}
            raise
        return found if isinstance(found, dict) else {}


def _place(user: Row, change: Change) -> str:
    return users.place(str(user["id"])) + change.below


def _content(capability: str) -> dict[str, Any]:
    """Signing out revokes the tokens of apps too (OpenID Connect, OAuth)."""
    return {"params": {"oauthTokens": "true"}} if capability == SIGN_OUT else {}


def _status(user: Row) -> str:
    return str(user.get("status") or "?")


def _provider(user: Row) -> str:
    credentials = user.get("credentials")
    provider = credentials.get("provider") if isinstance(credentials, dict) else None
    return str(provider.get("type") or "") if isinstance(provider, dict) else ""


def _warning(capability: str, user: Row) -> str:
    if capability == DISABLE:
        outside = " Sessions in apps may go on: sign the person out too."
        return (
            outside if _provider(user) != "ACTIVE_DIRECTORY" else f"{outside} In Active Directory the account goes on."
        )
    if capability == UNLOCK and _provider(user) == "ACTIVE_DIRECTORY":
        return " Its account in Active Directory may be locked still."
    return ""


def _data(user: Row, *, changed: bool) -> Row:
    return {"user": login_of(user), "id": user.get("id"), "changed": changed}


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)


def problems(settings: Row, secrets: Row) -> dict[str, str]:
    """An address that is not that of the organization, and one to which the token would go unencrypted."""
    parts = urlsplit(settings["url"])
    host = (parts.hostname or "").lower()
    if parts.scheme == "http" and not settings.get("allow_internal"):
        return {"url": _("The token would go unencrypted: the address must begin with https://.")}
    if host.partition(".")[0].endswith("-admin"):
        return {"url": _("This is the address of the console: leave out -admin.")}
    if parts.path.strip("/") and host.endswith((".okta.com", ".oktapreview.com", ".okta-emea.com")):
        return {
            "url": _("Give the address alone, without a path: %(scheme)s://%(netloc)s")
            % {"scheme": parts.scheme, "netloc": parts.netloc}
        }
    return {}


KIND = Kind(
    name="okta",
    label=gettext_noop("Okta"),
    connector=Okta,
    address=Setting(
        "url", gettext_noop("Address of your organization, https://acme.okta.com"), form="url", required=True
    ),
    settings=(DOMAIN,),
    secrets=(Setting("token", gettext_noop("API token"), required=True),),
    rules=problems,
)
