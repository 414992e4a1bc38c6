"""Accounts: switched off and on, signed out, made to change their password."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soar.connectors.capabilities import Result, Target
from soar.connectors.entra import users
from soar.connectors.microsoft.answers import MicrosoftError
from soar.connectors.microsoft.api import MicrosoftApi
from soar.lib.http import Answer

NOT_A_ROLE = "Accounts with a role of an administrator are changed only by an app that has such a role itself."


@dataclass(frozen=True, slots=True)
class Change:
    """A request below the user's address. ``told``: the sentence when it is done. ``wanted``: the value of
    ``accountEnabled`` that it makes; None for what is no state."""

    method: str
    below: str
    told: str
    content: dict[str, Any] = field(default_factory=dict)
    wanted: bool | None = None


CHANGES = {
    "disable_account": Change("PATCH", "", "{} is disabled.", {"json": {"accountEnabled": False}}, False),
    "enable_account": Change("PATCH", "", "{} is enabled.", {"json": {"accountEnabled": True}}, True),
    "sign_out": Change("POST", "/revokeSignInSessions", "The sessions of {} are revoked."),
    "reset_password": Change(
        "PATCH",
        "",
        "{} has to change the password at the next sign-in.",
        {"json": {"passwordProfile": {"forceChangePasswordNextSignIn": True}}},
    ),
}


class Accounts(MicrosoftApi):
    """What is done to accounts is done when Graph answers."""

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        change = CHANGES.get(capability)
        if change is None:
            return super().perform(capability, target, params, key=key)
        user = users.user_of(self, target, capability)
        self.about_to(target.kind, *users.names_of(user))
        name = str(user.get("userPrincipalName") or user["id"])
        if change.wanted is not None and user.get("accountEnabled") is change.wanted:
            word, ours = "enabled" if change.wanted else "disabled", self.tried(capability, key)
            text = change.told.format(name) if ours else f"{name} was {word} already."
            return Result("done", text, data={"user": name, "changed": ours})
        answer = self._change(capability, change, user, key)
        request = self.preview(change.method, users.place(user) + change.below, **change.content)["request"]
        kept = {"status": answer.status}
        text = change.told.format(name) + _warning(user, capability)
        return Result("done", text, request=request, answer=kept, data={"user": name, "changed": True})

    def _change(self, capability: str, change: Change, user: users.User, key: str) -> Answer:
        try:
            answer = self.send(capability, change.method, users.place(user) + change.below, key=key, **change.content)
        except MicrosoftError as error:
            if error.code == "Authorization_RequestDenied":
                error.message = f"{error.message} {NOT_A_ROLE}"
            raise
        if self.understood(answer, effect=True).get("value") is False:
            raise MicrosoftError("Graph took the request and did nothing.", permanent=False, status=answer.status)
        return answer

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder. The user's state tells it."""
        change = CHANGES.get(capability)
        if change is None:
            return super().recall(capability, target, key=key)
        user = users.user_of(self, target, f"{capability}.recall")
        if not self._is_done(capability, change, user, key):
            return None
        name = str(user.get("userPrincipalName") or user["id"])
        return Result("done", change.told.format(name) + _warning(user, capability), data={"user": name})

    def _is_done(self, capability: str, change: Change, user: users.User, key: str) -> bool:
        if change.wanted is not None:
            return user.get("accountEnabled") is change.wanted
        if capability == "sign_out":
            since = self._first_try(capability, key)
            revoked = _moment(user.get("signInSessionsValidFromDateTime"))
            return since is not None and revoked is not None and revoked >= since
        found = self.get(f"{capability}.recall", users.place(user), params={"$select": "id,passwordProfile"})
        profile = found.get("passwordProfile")
        return isinstance(profile, dict) and profile.get("forceChangePasswordNextSignIn") is True

    def _first_try(self, operation: str, key: str) -> datetime | None:
        mine = self.account.attempts.filter(operation=operation, idempotency_key=key[:200])
        return mine.order_by("started_at").values_list("started_at", flat=True).first()

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. The user's id is known only when Graph is asked."""
        change = CHANGES.get(capability)
        if change is None:
            return super().requests(capability, target, params)
        name = users.name_of(target, self.account.settings)
        query = {} if users.GUID.fullmatch(name) else users.search(name)
        where = f"{users.PATH}/{name if users.GUID.fullmatch(name) else '(id of the user)'}{change.below}"
        found = [self.preview("GET", users.PATH, **query)["request"]] if query else []
        return [*found, self.preview(change.method, where, **change.content)["request"]]


def _warning(user: users.User, capability: str) -> str:
    if user.get("onPremisesSyncEnabled") and capability in {"disable_account", "enable_account", "reset_password"}:
        return " It is synchronised from Active Directory, which may set it back: do it there too."
    if capability == "sign_out":
        return " Access tokens that are out already may last up to an hour."
    return ""


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else None
