"""Writing the audit log. Call it inside the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from soar.accounts.models import AuditEntry, User
from soar.lib import context


def exported(actor: User | None, sort: str, target: str, **data: Any) -> None:
    """Note that somebody took something out of the portal: ``sort`` is runs, playbook, evidence and so on."""
    record(actor, f"export.{sort}", target, **data)


def record(actor: User | None, verb: str, target: str = "", *, address: str | None = None, **data: Any) -> None:
    """Write one audit row. ``actor`` None means the system itself. ``data`` must be JSON and hold no secret.

    The caller's address, the id of the request and the name of its token come from the request that is answered."""
    _row(actor, verb, target, data, address).save(force_insert=True)


def record_each(actor: User | None, verb: str, targets: Iterable[str]) -> None:
    """Write a row for each of these targets, in one statement."""
    AuditEntry.objects.bulk_create([_row(actor, verb, target, {}) for target in targets])


def _row(actor: User | None, verb: str, target: str, data: dict[str, Any], address: str | None = None) -> AuditEntry:
    if actor is not None and actor.viewer is not None:  # who sees the portal as somebody else does nothing as them
        actor, data = actor.viewer, {**data, "viewing_as": actor.username}
    request = context.request_id.get()
    return AuditEntry(
        actor_id=actor.pk if actor else None,
        actor_name=actor.display_name() if actor else "Soar",
        verb=verb,
        target=target[:300],
        data=data,
        address=address or context.address.get() or None,
        request="" if request == "-" else request,
        via=context.via.get()[:120],
    )
