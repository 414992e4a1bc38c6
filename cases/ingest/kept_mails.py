"""Keeping mail messages whole, in the transaction that stores the alert they became (ingest-and-api.md 7)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from soar.lib.database import prepared
from soar.lib.queue import enqueue

KEPT_AT_MOST = 50  # messages of one alert: a mail that hundreds report is kept as often as anybody will look
BYTES_AT_MOST = 200 * 1024 * 1024
ADOPT = "cases.actions.messages.adopt"
# The first is always kept. Nothing is returned for what is there, and for one too many.
_KEEP = """
INSERT INTO cases_alertmessage (alert_id, content, size, sha256, received_at)
SELECT %(alert)s, %(content)s, %(size)s, %(sha256)s, %(now)s
FROM (SELECT count(*) AS number, coalesce(sum(size), 0) AS size FROM cases_alertmessage WHERE alert_id = %(alert)s) kept
WHERE kept.number = 0 OR (kept.number < %(most)s AND kept.size + %(size)s <= %(bytes)s)
ON CONFLICT (alert_id, sha256) DO NOTHING
RETURNING (SELECT incident_id IS NOT NULL FROM cases_alert WHERE id = %(alert)s)"""


def keep(alert_id: int, raw: bytes, now: datetime) -> None:
    """Keep one more message of an alert; the same bytes once. In an incident, it becomes evidence of that."""
    given = {"alert": alert_id, "now": now, **columns(raw)}
    with prepared() as cursor:
        row = cursor.execute(_KEEP, {**given, "most": KEPT_AT_MOST, "bytes": BYTES_AT_MOST}, prepare=True).fetchone()
    if row and row[0]:
        enqueue(ADOPT, alert_id)


def columns(raw: bytes) -> dict[str, Any]:
    """What is stored of a message."""
    return {"content": raw, "size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}
