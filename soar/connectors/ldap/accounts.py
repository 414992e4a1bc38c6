"""Which account of the directory a target is. What is asked is escaped; what answers is judged."""

from __future__ import annotations

from typing import Any

from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.conv import escape_filter_chars
from ldap3.utils.dn import parse_dn

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import ACCOUNT, Target
from soar.connectors.domains import without_domain
from soar.lib.ldap import Entry

LONGEST = 400
ANYBODY = "(objectClass=user)"
NO_COMPUTER = "(!(objectClass=computer))"
LOGIN, UPN, MAIL, ALIASES, CONTROL, LOCKED, SET_AT, CRITICAL = (
    "sAMAccountName",
    "userPrincipalName",
    "mail",
    "proxyAddresses",
    "userAccountControl",
    "lockoutTime",
    "pwdLastSet",
    "isCriticalSystemObject",
)
ATTRIBUTES = (LOGIN, UPN, MAIL, ALIASES, CONTROL, LOCKED, SET_AT, CRITICAL)


def question(target: Target, settings: dict[str, Any]) -> tuple[str, str, bool]:
    """Base, filter, and whether to look below the base. Raises ConnectorError for what can be no account of this
    directory."""
    base = str(settings.get("base_dn") or "")
    value = target.value.strip()
    if target.kind != ACCOUNT or not value or len(value) > LONGEST or "\x00" in value:
        raise _no(f"{value[:80] or 'The target'} is no user account.")
    if is_dn(value):
        if not is_below(value, base):
            raise _no(f"{value} is outside of {base}, which this connector is set up for.")
        return value, f"(&{ANYBODY}{NO_COMPUTER})", False
    return base, f"(&{ANYBODY}{NO_COMPUTER}{_named(value, base, settings)})", True


def _named(value: str, base: str, settings: dict[str, Any]) -> str:
    login = _login_of(settings)
    if "\\" in value:
        return f"({login}={escape_filter_chars(without_domain(value, settings))})"
    name, at, suffix = value.rpartition("@")
    if not at:
        return f"({login}={escape_filter_chars(value)})"
    full = f"({UPN}={escape_filter_chars(value)})"
    # Without a userPrincipalName an account has the implicit one: login@dns.name.of.the.domain
    return f"(|{full}({login}={escape_filter_chars(name)}))" if suffix.casefold() == dns_name(base) else full


def chosen(found: list[Entry], target: Target) -> Entry:
    """The one account. Raises ConnectorError for none, several, and those that Windows itself depends on."""
    name = target.value.strip()
    if not found:
        raise _no(f"There is no account {name} in the directory.")
    if len(found) > 1:
        raise _no(f"{name} are several accounts: {'; '.join(one.dn for one in found)}. Nothing was changed.")
    if found[0].one(CRITICAL).upper() == "TRUE":
        raise _no(f"{found[0].dn} is a critical system object of the domain. Nothing was changed.")
    return found[0]


def is_own(entry: Entry, username: str, settings: dict[str, Any]) -> bool:
    """Whether the entry is the account that the connector itself signs in with."""
    login, names = entry.one(_login_of(settings)), _own_names(entry, settings)
    name = username.strip()
    return name.casefold() in {one.casefold() for one in names if one} or (
        "\\" in name and name.rpartition("\\")[2].casefold() == login.casefold()
    )


def names_of(entry: Entry, settings: dict[str, Any]) -> list[str]:
    """All names of the account: of the tree, of the sign-in with and without its domains, of its mailbox."""
    aliases = [one.partition(":")[2] or one for one in entry.values.get(ALIASES.lower(), [])]
    domains = [one.strip() for one in str(settings.get("domain") or "").split(",") if one.strip()]
    login = entry.one(_login_of(settings))
    return [*_own_names(entry, settings), *(f"{one}\\{login}" for one in domains), entry.one(MAIL), *aliases]


def _own_names(entry: Entry, settings: dict[str, Any]) -> list[str]:
    login = entry.one(_login_of(settings))
    implicit = f"{login}@{dns_name(str(settings.get('base_dn') or ''))}" if login else ""
    return [entry.dn, entry.one(UPN), login, implicit]


def _login_of(settings: dict[str, Any]) -> str:
    return str(settings.get("login_attribute") or LOGIN)


def is_dn(text: str) -> bool:
    """Whether it is a distinguished name of some depth."""
    return len(_parts(text)) > 1


def is_below(dn: str, base: str) -> bool:
    """Whether ``dn`` is ``base`` or in the tree under it."""
    parts, top = _parts(dn), _parts(base)
    return bool(top) and parts[-len(top) :] == top


def dns_name(base: str) -> str:
    """The DNS name that the ``DC=`` parts of a base tell, in lower case."""
    return ".".join(value for name, value in _parts(base) if name == "dc")


def _parts(text: str) -> list[tuple[str, str]]:
    try:
        return [(name.casefold(), value.casefold()) for name, value, _sign in parse_dn(text, strip=True)]
    except (LDAPInvalidDnError, IndexError, ValueError):
        return []


def _no(text: str) -> ConnectorError:
    return ConnectorError(text, permanent=True)
