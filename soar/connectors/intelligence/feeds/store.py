"""New entries of a feed for its old ones, all at once: who looks meanwhile sees the old ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction

from soar.connectors.intelligence.feeds.rows import Row
from soar.connectors.intelligence.values import digest
from soar.connectors.models import FeedState
from soar.lib import clock

MOST = 1_000_000
COLUMNS = "type, value, digest, network, effect, note, expires_at"
STAGE = f"""
CREATE TEMP TABLE feed_stage ON COMMIT DROP AS SELECT {COLUMNS} FROM connectors_feedentry WITH NO DATA"""  # noqa: S608
# The stronger word wins when a value stands there twice.
INSERT = f"""
INSERT INTO connectors_feedentry (account_id, {COLUMNS})
SELECT DISTINCT ON (digest) %s, {COLUMNS} FROM feed_stage
ORDER BY digest, array_position(ARRAY['malicious', 'suspicious', 'benign'], effect)"""  # noqa: S608  our own names


def replace(account_id: int, rows: Iterable[Row | None], effect: str) -> dict[str, Any]:
    """Put ``rows`` in place of the feed's entries. Returns what is now in its state.

    Raises ValueError, and the old entries stay, for more than a million values and for a file in which nothing was
    recognised. ``effect``: malicious, suspicious or benign; values that the feed is not sure of are suspicious."""
    with transaction.atomic(), connection.cursor() as cursor:
        FeedState.objects.select_for_update().get(account=account_id)
        cursor.execute("DROP TABLE IF EXISTS feed_stage")
        cursor.execute(STAGE)
        taken, skipped = _copy(cursor, rows, effect)
        if skipped and not taken:
            raise ValueError(f"None of {skipped} lines holds a value; is this the right format and column?")
        cursor.execute("DELETE FROM connectors_feedentry WHERE account_id = %s", [account_id])
        cursor.execute(INSERT, [account_id])
        result = {"entry_count": cursor.rowcount, "skipped_count": skipped, "counts": _counts(cursor, account_id)}
        result |= {"imported_at": clock.now(), "last_error": "", "failed_at": None, "started_at": None}
        FeedState.objects.filter(account=account_id).update(**result)
    return result


def _copy(cursor: Any, rows: Iterable[Row | None], effect: str) -> tuple[int, int]:
    taken = skipped = 0
    with cursor.copy(f"COPY feed_stage ({COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            if row is None:
                skipped += 1
                continue
            taken += 1
            if taken > MOST:
                raise ValueError(f"The feed holds more than {MOST:,} values.")
            network = row.value if row.type == "cidr" else None  # an address is found by its digest
            word = "suspicious" if row.weak and effect == "malicious" else effect
            copy.write_row((row.type, row.value, digest(row.type, row.value), network, word, row.note, row.expires_at))
    return taken, skipped


def _counts(cursor: Any, account_id: int) -> dict[str, int]:
    sql = "SELECT type, count(*) FROM connectors_feedentry WHERE account_id = %s GROUP BY type ORDER BY type"
    cursor.execute(sql, [account_id])
    return dict(cursor.fetchall())
