"""Writing the audit log. Call it inside the transaction of the change."""

from __future__ import annotations

from typing import Any

from soar.accounts.models import AuditEntry, User


def record(actor: User | None, verb: str, target: str = "", *, address: str | None = None, **data: Any) -> None:
    """Write one audit row. ``actor`` None means the system itself. ``data`` must be JSON and hold no secret."""
    AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor_name=actor.display_name() if actor else "Soar",
        verb=verb,
        target=target[:300],
        data=data,
        address=address,
    )
