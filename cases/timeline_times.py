"""When an event happened, as its writer corrected it (casework.md 13): the first time stays in its entry, the
correction is an entry of its own that bears the new one, and the newest counts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, DateTimeField, F, QuerySet, Value, When

from cases.models import TimelineEntry

CORRECTION = "comment.edited"
MOVED = "occurred_at"  # in the data of a correction that says another time: {"old", "new"}
Times = dict[int, datetime]


def moved(kind: str, data: dict[str, Any]) -> bool:
    """Whether an entry corrects the time of another one."""
    return kind == CORRECTION and MOVED in data


def corrected(rows: QuerySet[TimelineEntry]) -> Times:
    """The newest time of each event of a stream whose time was corrected, by the id of its entry. One query."""
    edits = rows.filter(kind=CORRECTION, data__has_key=MOVED).select_related(None).order_by("pk")
    return {data.get("of", 0): at for data, at in edits.values_list("data", "occurred_at")}


def happened(times: Times) -> Case | F:
    """When the entry of a row happened, in SQL."""
    whens = [When(pk=pk, then=Value(at)) for pk, at in times.items()]
    return Case(*whens, default=F("occurred_at"), output_field=DateTimeField()) if whens else F("occurred_at")
