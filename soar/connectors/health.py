"""What Soar itself decides about an account: one that cannot work any more is disabled, and people are told why."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from soar.accounts import audit
from soar.connectors.models import ConnectorAccount
from soar.lib import clock

# For settings.NAV_REASONS: whether ``needing_a_look`` finds any.
ANY_DISABLED = (
    "EXISTS (SELECT FROM connectors_connectoraccount"
    " WHERE NOT enabled AND disabled_reason <> '' AND removed_at IS NULL)"
)


def disable(account_id: int, reason: str) -> bool:
    """Disable an account for ``reason``, shown on its page and to who manages connectors, until somebody enables it.

    False when it was disabled already (or is gone): what a person did is not explained away."""
    with transaction.atomic():
        account = ConnectorAccount.objects.select_for_update().filter(pk=account_id, enabled=True).first()
        if account is None:
            return False
        account.enabled, account.disabled_reason = False, reason
        account.last_error, account.last_check_at = reason, clock.now()
        account.save(update_fields=["enabled", "disabled_reason", "last_error", "last_check_at", "updated_at"])
        audit.record(None, "connector.disabled", f"connector {account.name}", reason=reason)
    return True


def needing_a_look(_user: Any = None) -> QuerySet[ConnectorAccount]:
    """The accounts that Soar has disabled and nobody has looked after since: the figure beside Connectors in the
    navigation, which only those who manage them see (settings.NAV_COUNTS)."""
    return ConnectorAccount.objects.filter(enabled=False).exclude(disabled_reason="")
