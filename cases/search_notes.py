"""Notes that hold some words, looked for in the way that suits how common they are.

The index of trigrams is quick for rare words and slow for what every tenth note says; walking the notes from the newest
is the other way round. A sample of the newest tells which it is; the planner, which does not know, guesses wrong."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection
from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL

from cases.models import TimelineEntry

SAMPLE = 160
COMMON = SAMPLE // 40
LOOKED_UP = 50_000  # of the newest that hold the words
_SAID = "strpos(upper({text}), upper(%s)) > 0"
_LIKE = "upper(text) LIKE upper(%s)"
_COUNTED = """
    SELECT count(*) FILTER (WHERE {said})
    FROM (SELECT text FROM cases_timelineentry WHERE NOT (text = '') ORDER BY id DESC LIMIT {size}) newest
"""
# Read whole before anything else is asked, and then the newest looked up one by one.
_LISTED = """cases_timelineentry.id = ANY(ARRAY(
    WITH hits AS MATERIALIZED (SELECT id FROM cases_timelineentry WHERE NOT (text = '') AND {like})
    SELECT id FROM hits ORDER BY id DESC LIMIT {most}))"""


def saying(words: Sequence[str]) -> QuerySet[TimelineEntry]:
    """The entries whose text holds every word, in whatever case, the newest first."""
    said = " AND ".join([_SAID.format(text="text")] * len(words))
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED.format(said=said, size=SAMPLE), list(words))
        [common] = cursor.fetchone() or [0]
    rows = TimelineEntry.objects.order_by("-pk")
    if common >= COMMON:
        inside = " AND ".join([_SAID.format(text="cases_timelineentry.text")] * len(words))
        return rows.filter(~Q(text=""), RawSQL(inside, list(words), output_field=BooleanField()))  # noqa: S611
    like = _LISTED.format(like=" AND ".join([_LIKE] * len(words)), most=LOOKED_UP)
    values = [f"%{_escaped(word)}%" for word in words]
    return rows.filter(RawSQL(like, values, output_field=BooleanField()))  # noqa: S611  made of constants


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
