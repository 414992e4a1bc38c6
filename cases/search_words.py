"""The words of incidents, tasks, evidence, notes and hand-overs, as the search reads them and their indexes hold them.

Both must be the same expression: the database takes an index only for what it was made of. ``__icontains`` puts UPPER
around it, as the indexes do."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db.models import Expression, F, Func, Q, TextField
from django.db.models.functions import Upper


class Words(Func):
    """Texts one behind the other, with a line between them. None of the columns is ever null."""

    template = "(%(expressions)s)"
    arg_joiner = " || E'\\n' || "
    output_field = TextField()


class Values(Func):
    """The values of a JSON object without their keys, as text."""

    template = "(jsonb_path_query_array(%(expressions)s, '$.*'::jsonpath)::text)"
    output_field = TextField()


class Listed(Func):
    """A list of texts, one in each line. The database's own function may not stand in an index: it takes any type."""

    function = "cases_listed"
    output_field = TextField()


INCIDENT = Words(
    F("title"),
    F("summary"),
    F("resolve_reason"),
    Listed(F("tags")),
    Listed(F("techniques")),
    Values(F("custom_fields")),
)
TASK = Words(F("title"), F("description"))
EVIDENCE = Words(F("name"), F("description"))
NOTE = F("text")
WRITTEN = ~Q(text="")
HAND_OVER = F("note")


def read(text: str) -> str:
    """The words of an incident as people read them: the values of its custom fields stand in the last line as JSON."""
    above, line, last = text.rpartition("\n")
    try:
        values = json.loads(last)
    except ValueError:  # of very long texts only the beginning was read
        return text
    return above + line + _said(values)


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return value if isinstance(value, str) else json.dumps(value)


def index(words: Expression | F, name: str, condition: Q | None = None) -> GinIndex:
    """Groups of three letters, of all words in capitals."""
    return GinIndex(OpClass(Upper(words), "gin_trgm_ops"), name=name, condition=condition)
