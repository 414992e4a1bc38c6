"""Which user of the directory a target is."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from soar.connectors.capabilities import Target
from soar.connectors.domains import without_domain
from soar.connectors.microsoft.answers import MicrosoftError
from soar.connectors.microsoft.api import MicrosoftApi, refused, text_of

PATH = "v1.0/users"
GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NAMES = ("id", "userPrincipalName", "mail", "mailNickname", "onPremisesSamAccountName", "onPremisesDistinguishedName")
ALIASES = "proxyAddresses"
STATE = ("accountEnabled", "onPremisesSyncEnabled", "signInSessionsValidFromDateTime")
FIELDS = ",".join((*NAMES, ALIASES, *STATE))
# Search by the name in Windows is one of Graph's "advanced queries", which want this.
ADVANCED = {"ConsistencyLevel": "eventual"}
User = dict[str, Any]


def name_of(target: Target, settings: dict[str, Any]) -> str:
    """How the target names the user: object id, address or name in Windows, without our own domain. Raises
    ConnectorError for what is no user of the directory."""
    name = without_domain(text_of(target.facts, "user_id") or target.value, settings)
    if not name or not name.isprintable():
        raise refused("The target does not tell the name of the account.")
    if name.endswith("$"):
        raise refused(f"{name} is the account of a computer, not of a user.")
    return name


def search(name: str) -> dict[str, Any]:
    """The query that finds a user by address or by name in Windows."""
    value = name.replace("'", "''")
    if "@" in name:
        return {"params": {"$filter": f"userPrincipalName eq '{value}' or mail eq '{value}'", "$select": FIELDS}}
    where = f"onPremisesSamAccountName eq '{value}' or mailNickname eq '{value}'"
    return {"params": {"$filter": where, "$select": FIELDS, "$count": "true"}, "headers": ADVANCED}


def user_of(api: MicrosoftApi, target: Target, operation: str) -> User:
    """The user as Graph tells it. Raises ConnectorError when there is none, or several of that name: two domains may
    have an a.voss each."""
    name = name_of(target, api.account.settings)
    rows = [_by_id(api, name, operation)] if GUID.fullmatch(name) else _found(api, name, operation)
    exact = [row for row in rows if str(row.get("userPrincipalName", "")).casefold() == name.casefold()]
    rows = exact or rows
    if not rows:
        raise refused(f"There is no user {name} in this directory.")
    if len(rows) > 1:
        names = ", ".join(sorted(str(row.get("userPrincipalName")) for row in rows)[:5])
        raise refused(f"Several users are called {name}: {names}. Nothing was changed; name one by its full address.")
    return rows[0]


def names_of(user: User) -> list[str]:
    """All names that Graph tells of the user, addresses of its mailbox too."""
    listed = user.get(ALIASES)
    aliases = [str(one).partition(":")[2] for one in listed] if isinstance(listed, list) else []
    return [*(str(user.get(name) or "") for name in NAMES), *aliases]


def place(user: User) -> str:
    """The path of the user."""
    return f"{PATH}/{quote(str(user['id']), safe='')}"


def _by_id(api: MicrosoftApi, identity: str, operation: str) -> User:
    try:
        return api.get(f"{operation}.user", f"{PATH}/{identity}", params={"$select": FIELDS})
    except MicrosoftError as error:
        if error.status == 404:
            raise refused(f"There is no user {identity} in this directory.") from None
        raise


def _found(api: MicrosoftApi, name: str, operation: str) -> list[User]:
    value = api.get(f"{operation}.user", PATH, **search(name)).get("value")
    return [one for one in value if isinstance(one, dict) and one.get("id")] if isinstance(value, list) else []
