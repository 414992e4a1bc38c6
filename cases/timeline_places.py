"""Finding one's way in a timeline: how much each filter holds, what is pinned, where an entry stands."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, Max, Q, QuerySet

from cases.models import TimelineEntry
from cases.timeline_filter import GROUPS, PINNED, TRAFFIC, group_of, is_traffic
from cases.timeline_read import EntryView, views

PINS_SHOWN = 40


def group_counts(rows: QuerySet[TimelineEntry]) -> dict[str, int]:
    """How many entries each filter holds, and ``all``; ``newest``: the highest id, of a correction too."""
    figures = {"n": Count("pk"), "last": Max("pk"), "pins": Count("pin")}
    return counts_of(rows.order_by().values_list("kind", "actor_type").annotate(**figures))


def counts_of_read(entries: Iterable[TimelineEntry]) -> dict[str, int]:
    """The same of entries that are read, each with its pin."""
    return counts_of((one.kind, one.actor_type, 1, one.pk, int(hasattr(one, "pin"))) for one in entries)


def counts_of(counted: Iterable[tuple[str, str, int, int, int]]) -> dict[str, int]:
    """The same from kinds, types of actor, and of both how many there are, the highest id, and how many are pinned."""
    counts = dict.fromkeys(("all", *GROUPS, PINNED, "newest"), 0)
    for kind, actor_type, number, newest, pinned in counted:
        counts["newest"] = max(counts["newest"], newest)
        if kind == "comment.edited":
            continue
        counts["all"] += number
        counts[group_of(kind)] += number
        counts[TRAFFIC] += number * (is_traffic(kind, actor_type) and group_of(kind) != TRAFFIC)
        counts[PINNED] += pinned
    return counts


def pinned_of(rows: QuerySet[TimelineEntry]) -> list[EntryView]:
    """The pinned entries of a stream, the newest pin first, each with ``entry.pin``."""
    return views(pinned_rows(rows))


def pinned_rows(rows: QuerySet[TimelineEntry]) -> QuerySet[TimelineEntry]:
    """The same, without the corrections of their notes."""
    found = rows.filter(pin__isnull=False).select_related("pin").order_by("-pin__pinned_at", "-pk")
    return found[:PINS_SHOWN]


def place_of(rows: QuerySet[TimelineEntry], entry_id: int) -> int:
    """The entry of the stream that an address means: itself, of a correction its note; 0 for none of them."""
    entry = rows.filter(pk=entry_id).first()
    if entry is not None and entry.kind == "comment.edited":
        of = entry.data.get("of", 0)
        moved = rows.filter(Q(pk=of) | Q(kind="note.moved", data__entry=of))
        return moved.values_list("pk", flat=True).first() or 0
    if entry is not None:
        return entry.pk
    return rows.filter(kind="note.moved", data__entry=entry_id).values_list("pk", flat=True).first() or 0
