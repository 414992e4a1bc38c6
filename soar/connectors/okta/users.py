"""Which user of Okta a target is."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import ACCOUNT, Target
from soar.connectors.domains import without_domain
from soar.connectors.okta.api import OktaApi, OktaError, Row

PATH = "api/v1/users"
NONE = "E0000007"
LONGEST = 200
SHOWN = 5


def name_of(target: Target, settings: dict[str, Any]) -> str:
    """Id, login, address or the part of a login before its @, without our own domain of Windows. Raises ConnectorError
    for what is no user."""
    told = target.facts.get("user_id")
    name = without_domain(str(told) if isinstance(told, str) and told else target.value, settings)
    if target.kind != ACCOUNT or not name or len(name) > LONGEST or not name.isprintable():
        raise _no("The target does not tell the name of the account.")
    if name.endswith("$"):
        raise _no(f"{name} is the account of a computer, not of a user.")
    if name.casefold() == "me":  # for Okta that is whoever asks
        raise _no(f"{name} is no name that Okta can look for.")
    return name


def place(name: str) -> str:
    """Where Okta has a user of this id or login."""
    return f"{PATH}/{quote(name, safe='@')}"


def user_of(api: OktaApi, target: Target, operation: str) -> Row:
    """The user as Okta tells it. Raises ConnectorError when there is none, or several of that name."""
    name = name_of(target, api.account.settings)
    found = _direct(api, name, operation)
    rows = [found] if found else _searched(api, name, operation)
    rows = [one for one in rows if one.get("id") and _is_called(one, name)]
    if not rows:
        raise _no(f"There is no user {name} in this Okta organization.")
    if len(rows) > 1:
        names = ", ".join(sorted(login_of(one) for one in rows)[:SHOWN])
        raise _no(f"Several users are called {name}: {names}. Nothing was changed; name one by its full login.")
    return rows[0]


def login_of(user: Row) -> str:
    """What the user signs in with."""
    return str(_profile(user).get("login") or user.get("id"))


def names_of(user: Row) -> list[str]:
    """All names of the user: id, login, addresses."""
    profile = _profile(user)
    told = [profile.get(name) for name in ("login", "email", "secondEmail", "samAccountName")]
    return [str(user.get("id") or ""), *(str(one) for one in told if one)]


def _direct(api: OktaApi, name: str, operation: str) -> Row | None:
    try:
        found = api.get(f"{operation}.user", place(name))
    except OktaError as error:
        if error.code != NONE:
            raise
        return None
    return found if isinstance(found, dict) else None


def _searched(api: OktaApi, name: str, operation: str) -> list[Row]:
    """By address, which need not be the login; or by the beginning of the login, where several have it."""
    value = name.replace("\\", "\\\\").replace('"', '\\"')
    term = f'profile.email eq "{value}"' if "@" in name else f'profile.login sw "{value}@"'
    found = api.get(f"{operation}.search", PATH, params={"search": term, "limit": SHOWN + 1})
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_called(user: Row, name: str) -> bool:
    login, wanted = login_of(user).casefold(), name.casefold()
    names = {
        str(user.get("id")).casefold(),
        login,
        login.partition("@")[0],
        str(_profile(user).get("email")).casefold(),
    }
    return wanted in names


def _profile(user: Row) -> dict[str, Any]:
    found = user.get("profile")
    return found if isinstance(found, dict) else {}


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)
