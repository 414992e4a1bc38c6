# ruff: noqa: S608  the statement is put together from names of our own
"""New rows of response tasks: one statement, however many. A node may have as many as an alert has objects, and its
first call waits for them, so this is plain SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from playbooks.choices import TaskStatus
from playbooks.models import ResponseTask
from soar.lib import rows
from soar.lib.database import prepared

# What the statement itself sets, or the product's answer later.
_NOT_GIVEN = {"id", "secret", "due_at", "deadline_at", "finished_at", "created_at", "updated_at"}


def insert(drafts: Sequence[ResponseTask]) -> None:
    """Save the drafts and give them their ids. Those that are queued are due at once, and have ``data["minutes"]``."""
    given = [{"n": number, **_row(draft)} for number, draft in enumerate(drafts)]
    with prepared() as cursor:
        values = {"rows": json.dumps(given), "secret": _no_secret()}
        found = cursor.execute(_statement(), values, prepare=True).fetchall()
    for draft, (pk,) in zip(drafts, sorted(found), strict=True):
        draft.pk = pk
        draft._state.adding, draft._state.db = False, "default"


def _row(draft: ResponseTask) -> dict[str, Any]:
    given = {name: getattr(draft, name) for name in _names()}
    final = TaskStatus(draft.status).is_final
    uuids = {"idempotency_key": str(draft.idempotency_key), "cause": str(draft.cause)}
    return {**given, **uuids, "minutes": draft.data.get("minutes", 30), "final": final}


@cache
def _names() -> tuple[str, ...]:
    return tuple(field.attname for field in ResponseTask._meta.concrete_fields if field.attname not in _NOT_GIVEN)


@cache
def _statement() -> str:
    fields = [field for field in ResponseTask._meta.concrete_fields if field.attname not in _NOT_GIVEN]
    columns = ", ".join(str(field.column) for field in fields)
    types = rows.typed(ResponseTask, _names())
    picked = ", ".join(f"r.{field.column}" for field in fields)
    return f"""
INSERT INTO playbooks_responsetask ({columns}, secret, due_at, deadline_at, finished_at)
SELECT {picked}, %(secret)s, CASE WHEN r.status = 'queued' THEN clock_timestamp() END,
    CASE WHEN r.status = 'queued' THEN clock_timestamp() + r.minutes * interval '1 minute' END,
    CASE WHEN r.final THEN clock_timestamp() END
FROM json_to_recordset(%(rows)s::json) AS r(n int, minutes float8, final boolean, {types}) ORDER BY r.n RETURNING id"""


@cache
def _no_secret() -> Any:
    """Nothing, encrypted once."""
    return ResponseTask._meta.get_field("secret").get_prep_value({})
