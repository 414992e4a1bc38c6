"""Asking products what is left of the sandbox's quota."""

from __future__ import annotations

import contextlib

from soar.connectors import quota, registry
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.connectors.responder import Responder
from soar.lib.queue import enqueue_many

TASK = "soar.connectors.quota_asking.ask"


def ring() -> None:
    """Have all enabled accounts with a sandbox asked."""
    enqueue_many((TASK, (account.pk,)) for account in ConnectorAccount.objects.filter(enabled=True) if _has(account))


def ask(account_id: int) -> None:
    """Ask one; the figure of before stays when it does not answer. Makes an HTTP call."""
    account = ConnectorAccount.objects.filter(pk=account_id, enabled=True).first()
    if account is None or not _has(account):
        return
    with contextlib.suppress(ConnectorError):
        connector = registry.of(account)
        remaining = connector.sandbox_quota() if isinstance(connector, Responder) else None
        if remaining is not None:
            quota.told(account, remaining)


def _has(account: ConnectorAccount) -> bool:
    return bool(registry.offered(account) & {*quota.ACTIONS})
