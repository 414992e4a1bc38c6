"""Which accounts a person may use: the one query (access.md 3, 4)."""

from __future__ import annotations

from typing import Protocol

from django.db.models import Exists, OuterRef, Q, QuerySet

from soar.connectors.errors import NoConnector
from soar.connectors.models import ConnectorAccount, ConnectorGroupPermission, ConnectorUserPermission
from soar.lib import rows
from soar.lib.database import prepared

_LATER = frozenset({"secrets"})
ENABLED = (
    f"SELECT {rows.columns(ConnectorAccount, 'a', _LATER)} FROM connectors_connectoraccount a"  # noqa: S608  our own names
    " WHERE a.enabled ORDER BY a.id"
)
GRANTS = ("use_connectoraccount", "manage_connectoraccount")


class Person(Protocol):
    """What is needed of a user."""

    pk: int
    is_active: bool

    def has_perm(self, perm: str) -> bool: ...


def usable_by(user: Person) -> QuerySet[ConnectorAccount]:
    """Who manages connectors: all. Others: what was granted; the unrestricted too, if they may run playbooks."""
    accounts = ConnectorAccount.objects.all()
    if not user.is_active:
        return accounts.none()
    if user.has_perm("accounts.manage_connectors"):
        return accounts
    grants = {"content_object": OuterRef("pk"), "permission__codename__in": GRANTS}
    granted = Q(Exists(ConnectorUserPermission.objects.filter(user_id=user.pk, **grants))) | Q(
        Exists(ConnectorGroupPermission.objects.filter(group__user=user.pk, **grants))
    )
    return accounts.filter(granted | Q(restricted=False) if user.has_perm("accounts.run_playbooks") else granted)


def enabled_accounts() -> list[ConnectorAccount]:
    """All enabled accounts, oldest first, without their secrets, which are read when asked for. One query, asked for
    each run of a playbook, so plain SQL."""
    with prepared() as cursor:
        found = cursor.execute(ENABLED, prepare=True).fetchall()
    return [rows.made(ConnectorAccount, row, _LATER) for row in found]


def account_named(name: str, user: Person | None = None) -> ConnectorAccount:
    """The account ``name``, whatever its upper and lower case. Raises NoConnector."""
    accounts = ConnectorAccount.objects.all() if user is None else usable_by(user)
    account = accounts.filter(name__iexact=name).first()
    if account is None:
        raise NoConnector(name)
    return account


def removed() -> QuerySet[ConnectorAccount]:
    """The accounts that are gone, the last one first: read by those who manage all connectors."""
    return ConnectorAccount.everything.filter(removed_at__isnull=False).order_by("-removed_at", "-pk")


def managed_by(user: Person) -> QuerySet[ConnectorAccount]:
    """Whose settings, health and calls this person may see and change."""
    accounts = ConnectorAccount.objects.all()
    if not user.is_active:
        return accounts.none()
    if user.has_perm("accounts.manage_connectors"):
        return accounts
    grants = {"content_object": OuterRef("pk"), "permission__codename": "manage_connectoraccount"}
    return accounts.filter(
        Q(Exists(ConnectorUserPermission.objects.filter(user_id=user.pk, **grants)))
        | Q(Exists(ConnectorGroupPermission.objects.filter(group__user=user.pk, **grants)))
    )
