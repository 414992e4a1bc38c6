"""Which accounts a person may use: the one query (access.md 3, 4)."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from soar.accounts.levels import Kind
from soar.accounts.models import User
from soar.connectors.errors import NoConnector
from soar.connectors.models import ConnectorAccount, ConnectorGroupPermission, ConnectorUserPermission
from soar.lib import rows
from soar.lib.database import prepared

_LATER = frozenset({"secrets"})
ENABLED = (
    f"SELECT {rows.columns(ConnectorAccount, 'a', _LATER)} FROM connectors_connectoraccount a"  # noqa: S608  our own names
    " WHERE a.enabled ORDER BY a.id"
)
# Levels of a grant on an account, each contains the former; with the scope that a token needs for it (rulings 20).
CONNECTOR = Kind(
    "connectoraccount",
    {"use": "run_playbooks", "manage": "manage_connectors"},
    lambda: (ConnectorUserPermission, ConnectorGroupPermission),
)


def usable_by(user: User) -> QuerySet[ConnectorAccount]:
    """Who manages connectors: all. Others: what was granted; the unrestricted too, if they may run playbooks."""
    accounts = ConnectorAccount.objects.all()
    if not user.is_active:
        return accounts.none()
    if user.has_perm("accounts.manage_connectors"):
        return accounts
    granted = CONNECTOR.granted(user, "use")
    return accounts.filter(granted | Q(restricted=False) if user.has_perm("accounts.run_playbooks") else granted)


def enabled_accounts() -> list[ConnectorAccount]:
    """All enabled accounts, oldest first, without their secrets, which are read when asked for. One query, asked for
    each run of a playbook, so plain SQL."""
    with prepared() as cursor:
        found = cursor.execute(ENABLED, prepare=True).fetchall()
    return [rows.made(ConnectorAccount, row, _LATER) for row in found]


def account_named(name: str, user: User | None = None) -> ConnectorAccount:
    """The account ``name``, whatever its upper and lower case. Raises NoConnector."""
    accounts = ConnectorAccount.objects.all() if user is None else usable_by(user)
    account = accounts.filter(name__iexact=name).first()
    if account is None:
        raise NoConnector(name)
    return account


def removed() -> QuerySet[ConnectorAccount]:
    """The accounts that are gone, the last one first: read by those who manage all connectors."""
    return ConnectorAccount.everything.filter(removed_at__isnull=False).order_by("-removed_at", "-pk")


def managed_by(user: User) -> QuerySet[ConnectorAccount]:
    """Whose settings, health and calls this person may see and change."""
    accounts = ConnectorAccount.objects.all()
    if not user.is_active:
        return accounts.none()
    if user.has_perm("accounts.manage_connectors"):
        return accounts
    return accounts.filter(CONNECTOR.granted(user, "manage"))


def read_by(user: User) -> QuerySet[ConnectorAccount]:
    """Whose settings and health this person may read: all, by role (rulings 20); or those that they manage."""
    return ConnectorAccount.objects.all() if user.has_perm("accounts.view_setup") else managed_by(user)


def manages(user: User, account: ConnectorAccount) -> bool:
    """Whether this person may change the account: by role, or by a grant on it."""
    return user.has_perm("accounts.manage_connectors") or CONNECTOR.is_granted(user, account, "manage")
