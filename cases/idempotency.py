"""``Idempotency-Key``: a call that is repeated is answered again, not done again (rulings 16)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.errors import Conflict, Refused
from cases.models import IdempotencyKey

KEPT = timedelta(hours=24)
KEY_AT_MOST = 255
WAIT = "10s"  # for another call with the same key that is under way

_TAKE = """
    INSERT INTO cases_idempotencykey (holder, key, body_digest) VALUES (%s, %s, %s)
    ON CONFLICT (holder, key) DO NOTHING RETURNING id
"""


def idempotent(holder: str, key: str, body: bytes, run: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
    """Call ``run`` once for ``key`` and keep its ``(status, answer)``; later calls get what was kept.

    ``holder`` is ``source:<id>``, ``token:<id>`` or ``user:<id>``; ``body`` is whatever tells this call from another:
    the address and the body. ``answer`` must be JSON. The key and the effect of ``run`` are one transaction: a
    crash or an error leaves neither, so a failed call may be repeated. A call that comes while the first one
    runs waits for it. Raises Refused for a malformed key, and Conflict for another body under the same key or
    when waiting took too long (``retry_after``)."""
    check_key(key)
    digest = hashlib.sha256(body).digest()
    with transaction.atomic():
        row = _take(holder, key, digest)
        if row is None:
            return _kept(holder, key, digest)
        status, answer = run()
        IdempotencyKey.objects.filter(pk=row).update(status=status, answer=answer)
        return status, answer


def check_key(key: str) -> None:
    """Raise Refused for a key that is empty, longer than 255 characters or not printable ASCII."""
    if not 0 < len(key) <= KEY_AT_MOST or not (key.isascii() and key.isprintable()):
        raise Refused(
            _("An Idempotency-Key is 1 to %(key_at_most)s printable ASCII characters.") % {"key_at_most": KEY_AT_MOST},
            field="Idempotency-Key",
        )


def purge() -> None:
    """Forget keys older than 24 hours; called by the scheduler."""
    IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).delete()


def _take(holder: str, key: str, digest: bytes) -> int | None:
    """Make the key's row; None if there is one already. Waits for a transaction that is making it."""
    IdempotencyKey.objects.filter(holder=holder, key=key, created_at__lt=Now() - KEPT).delete()
    try:
        # A savepoint: after a time-out of the lock the caller's transaction can still be ended in order.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [WAIT])
            cursor.execute(_TAKE, [holder, key, digest])
            found = cursor.fetchone()
            cursor.execute("SELECT set_config('lock_timeout', '0', true)")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        raise Conflict(_("A call with this Idempotency-Key is still under way."), retry_after=1) from error
    return int(found[0]) if found else None


def _kept(holder: str, key: str, digest: bytes) -> tuple[int, Any]:
    row = IdempotencyKey.objects.filter(holder=holder, key=key).first()
    if row is None or row.status is None:
        raise Conflict(_("A call with this Idempotency-Key is still under way."), retry_after=1)
    if bytes(row.body_digest) != digest:
        raise Conflict(_("This Idempotency-Key was used for another request."), code="idempotency_key_reused")
    return row.status, row.answer
