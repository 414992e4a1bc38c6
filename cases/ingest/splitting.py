"""From the bytes of a delivery to the rows that would be stored: reading, taking apart, the kind and the mapping.

Nothing is stored here, so previews and checks of samples read exactly as acceptance does."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from cases.ingest.mails import opened, taken
from cases.ingest.prepare import Row, Rules, prepare
from cases.ingest.reading import BODY_AT_MOST, ITEM_AT_MOST, ITEMS_AT_MOST, Item, Unreadable, limited, part, read
from cases.ingest.registry import Kind, kind_of

logger = logging.getLogger(__name__)
OURS = "The kind of this source could not read it. That is a mistake of Soar, not of the sender; it is in the log."


def rows_of(rules: Rules, body: bytes, content_type: str, now: datetime) -> tuple[list[tuple[Item, Row | None]], bool]:
    """The items of a delivery with the row of each (None beside an item with an error), and whether it was several.

    Raises Unreadable when nothing of it can be read."""
    kind = kind_of(rules.kind)
    grouping = kind.multiple or (rules.mapping is not None and rules.mapping.items is not None)
    items, several = _read(kind, body, content_type, BODY_AT_MOST if grouping else ITEM_AT_MOST)
    split: list[Item] = []
    for item in items:
        parts = _parts(item, kind, rules) if grouping and not item.error else None
        several = several or parts is not None
        split += [limited(item)] if parts is None else [part(value) for value in parts]
    if len(split) > ITEMS_AT_MOST:
        raise Unreadable(413, f"At most {ITEMS_AT_MOST:,} alerts in one call; this has {len(split):,}.")
    made = [(item, None if item.error else _row(item, kind, rules, now)) for item in split]
    if not several and split[0].error:
        raise split[0].error
    return made, several


def _read(kind: Kind, body: bytes, content_type: str, item_at_most: int) -> tuple[list[Item], bool]:
    if kind.mail and (item := taken(body, content_type)) is not None:
        return [item], False
    items, several = read(body, content_type, item_at_most)
    return [opened(item) for item in items] if kind.mail else items, several


def _parts(item: Item, kind: Kind, rules: Rules) -> list[dict[str, Any]] | None:
    """The alerts of a document that holds several; None of one that is an alert, or with its error set."""
    try:
        if rules.mapping is not None and (parts := rules.mapping.split(item.value)) is not None:
            return parts
        return kind.split(item.value) if kind.multiple and kind.is_list(item.value) else None
    except Unreadable as error:
        item.error = error
    except Exception:
        item.error = _ours(kind, rules)
    return None


def _row(item: Item, kind: Kind, rules: Rules, now: datetime) -> Row | None:
    """The row of an item; None, with the item's error set, if it cannot be read after all."""
    try:
        row = prepare(item.value, item.text, kind, rules, now)
    except Unreadable as error:
        item.error = error
    except Exception:
        item.error = _ours(kind, rules)
    else:
        row.raw = item.raw
        return row
    return None


def _ours(kind: Kind, rules: Rules) -> Unreadable:
    """Normalisers read any object. One that does not is our mistake, for which no delivery shall be lost."""
    logger.exception("The kind %s cannot read a delivery of %s", kind.name, rules.source_name)
    return Unreadable(400, OURS)
