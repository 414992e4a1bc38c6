"""One worker at a time for a row: a conditional UPDATE takes it, and only its holder writes how it ended.

Leases are measured by the database's clock: those of the hosts differ, and one that is ahead would take what another
still holds."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now

LEASE = timedelta(minutes=3)


def free(to: str = "") -> Q:
    """Rows that nobody holds; ``to`` leads to them, as ``link__``."""
    return Q(**{f"{to}leased_until": None}) | Q(**{f"{to}leased_until__lt": Now()})


def take(rows: QuerySet[Any], span: timedelta | None = None, **more: Any) -> uuid.UUID | None:
    """Lease the one row of ``rows`` for ``span`` (else LEASE) if nobody holds it, and set ``more``. Returns the lease,
    None if it is not free."""
    lease = uuid.uuid4()
    return lease if rows.filter(free()).update(lease=lease, leased_until=Now() + (span or LEASE), **more) == 1 else None


def keep(model: type[Model], pk: int, lease: uuid.UUID, span: timedelta | None = None) -> bool:
    """Hold it longer. False if it is held by somebody else by now."""
    rows = model._default_manager.filter(pk=pk, lease=lease)
    return rows.update(leased_until=Now() + (span or LEASE)) == 1


def end(model: type[Model], pk: int, lease: uuid.UUID, **result: Any) -> bool:
    """Write how it ended and let go. False, and nothing written, if it is held by somebody else by now."""
    rows = model._default_manager.filter(pk=pk, lease=lease)
    return rows.update(lease=None, leased_until=None, **result) == 1
