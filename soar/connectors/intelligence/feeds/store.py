"""New entries of a feed for its old ones, all at once: who looks meanwhile sees the old ones."""

from __future__ import annotations

from typing import IO, Any

from django.db import connection, transaction

from soar.connectors.intelligence.feeds.staging import Counts
from soar.connectors.models import FeedState
from soar.lib import clock

COLUMNS = "type, value, digest, network, effect, note, expires_at"
STAGE = f"""
CREATE TEMP TABLE feed_stage ON COMMIT DROP AS SELECT {COLUMNS} FROM connectors_feedentry WITH NO DATA"""  # noqa: S608
# The stronger word wins when a value stands there twice.
INSERT = f"""
INSERT INTO connectors_feedentry (account_id, {COLUMNS})
SELECT DISTINCT ON (digest) %s, {COLUMNS} FROM feed_stage
ORDER BY digest, array_position(ARRAY['malicious', 'suspicious', 'benign'], effect)"""  # noqa: S608  our own names
PIECE = 256 * 1024


def replace(account_id: int, staged: IO[bytes], counts: Counts) -> dict[str, Any]:
    """Put what ``stage`` wrote in place of the feed's entries. Returns what is now in its state."""
    with transaction.atomic(), connection.cursor() as cursor:
        FeedState.objects.select_for_update().get(account=account_id)
        cursor.execute("DROP TABLE IF EXISTS feed_stage")
        cursor.execute(STAGE)
        with cursor.copy(f"COPY feed_stage ({COLUMNS}) FROM STDIN") as copy:
            while piece := staged.read(PIECE):
                copy.write(piece)
        cursor.execute("DELETE FROM connectors_feedentry WHERE account_id = %s", [account_id])
        cursor.execute(INSERT, [account_id])
        result = {"entry_count": cursor.rowcount, "skipped_count": counts.skipped}
        result |= {"counts": _counts(cursor, account_id), "imported_at": clock.now()}
        result |= {"last_error": "", "failed_at": None, "started_at": None}
        FeedState.objects.filter(account=account_id).update(**result)
    return result


def _counts(cursor: Any, account_id: int) -> dict[str, int]:
    sql = "SELECT type, count(*) FROM connectors_feedentry WHERE account_id = %s GROUP BY type ORDER BY type"
    cursor.execute(sql, [account_id])
    return dict(cursor.fetchall())
