"""Storing one alert that was read from its product, or keeping it as a dead letter: it is never lost, and it never
holds up those behind it."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import DatabaseError, DataError, transaction

from cases.ingest import counters, dead_letters, repeats
from cases.ingest.dead_letters import Delivery, Refused
from cases.ingest.pipeline import accept
from cases.ingest.prepare import Row, Rules
from cases.ingest.reading import Item as Read
from cases.ingest.reading import Unreadable, encoded
from cases.ingest.splitting import OURS, rows_of
from cases.models import PulledAlert
from cases.pulls.fitting import fitted
from cases.pulls.mailing import mail_of
from soar.connectors.reader import Item
from soar.lib import clock

logger = logging.getLogger(__name__)
JSON = "application/json"


@transaction.atomic
def take(rules: Rules, item: Item) -> bool:
    """Store an alert that was made or changed at its product. One transaction, in which what cannot be read becomes a
    dead letter: no crash in between can lose it. Returns True for an alert that was taken for the first time.

    Raises DatabaseError, with nothing stored, also where the dead letter cannot be kept."""
    seen, fresh = PulledAlert.objects.select_for_update().get_or_create(
        source_id=rules.source_id, remote_id=item.identity, defaults={"changed": item.changed}
    )
    if not fresh and not newer(item.changed, seen.changed):
        return False
    raw, kind = mail_of(item) if item.files else (encoded(item.payload).encode(), JSON)
    try:
        with transaction.atomic():
            alert, made, letters = _stored(rules, item, seen, fresh, raw, kind)
    except Unreadable as error:
        alert, made, letters = None, False, [Refused(error.status, error.message, raw, len(raw))]
    except Exception as error:
        if isinstance(error, DatabaseError) and not isinstance(error, DataError):
            raise
        logger.exception("Source %s: %s could not be taken", rules.source_id, item.identity)
        alert, made, letters = None, False, [Refused(400, OURS, raw, len(raw))]
    seen.changed, seen.alert_id = item.changed, alert or seen.alert_id
    seen.save(update_fields=["changed", "alert"])
    if letters:
        dead_letters.keep_read(rules.source_id, Delivery(content_type=kind.partition(";")[0]), letters)
        counters.note(rules.source_id, refused=len(letters), error=letters[-1].error)
    return made and not letters


def newer(one: str, other: str) -> bool:
    """Whether the first change (Item.changed) comes after the other; at the same time any other one does."""
    first, second = clock.moment_of(one.partition(" ")[0]), clock.moment_of(other.partition(" ")[0])
    if first is None or second is None or first == second:
        return one != other
    return first > second


def _stored(
    rules: Rules, item: Item, seen: PulledAlert, fresh: bool, raw: bytes, kind: str
) -> tuple[int | None, bool, list[Refused]]:
    """The alert that an item became or changed, whether it is a new one, and what was refused. Raises Unreadable."""
    now = clock.now()
    ids: list[int | None] = []
    left: list[tuple[Read, Row | None]] = []
    for number, (read, row) in enumerate(_rows(rules, item, raw, kind, now)):
        known = None if number else seen.alert_id
        if row and not item.files and (pk := repeats.update(rules, row, known, now)):
            ids.append(pk)
        elif row is None or fresh:  # one that was seen and is gone was purged: it does not come again
            left.append((read, row))
    outcomes = accept(rules, left, now)
    refused = [
        Refused(one.status, one.detail, text := one.text.encode("utf-8", "surrogatepass"), len(text), place)
        for place, one in enumerate(outcomes, 1)
        if one.detail
    ]
    return next((pk for pk in [*ids, *(one.id for one in outcomes)] if pk), None), bool(left), refused


def _rows(rules: Rules, item: Item, raw: bytes, kind: str, now: datetime) -> list[tuple[Read, Row | None]]:
    """The item as acceptance reads it; one that is too large without the ends of its longest texts and lists, because
    nobody can be told to send less. Raises Unreadable."""
    try:
        return rows_of(rules, raw, kind, now)[0]
    except Unreadable as error:
        small = None if item.files or error.status != 413 else fitted(item.payload)
        if small is None:
            raise
    made = rows_of(rules, encoded(small).encode(), kind, now)[0]
    for _read, row in made:
        if row:
            row.notes.append(f"the alert has {len(raw):,} bytes; its longest texts and lists are cut here")
    return made
