# ruff: noqa: S608  the statement is put together from names of our own
"""New rows of steps: one statement for all nodes that a run passes at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from playbooks.choices import StepStatus
from playbooks.models import Run, Step
from soar.lib import rows
from soar.lib.database import prepared

WAITING = (StepStatus.IN_PROGRESS, StepStatus.PENDING_APPROVAL)
_NAMES = (
    "run_id", "position", "name", "key", "kind", "arguments", "arguments_digest", "status", "attempts", "result",
    "error", "idempotent", "timeout", "idempotency_key", "stale",
)  # fmt: skip


def draft(run: Run, position: int, name: str, kind: str, status: StepStatus, result: dict[str, Any]) -> Step:
    """A step of a run of a response playbook, not saved yet."""
    return Step(
        run=run, position=position, name=name, key="", kind=kind, arguments_digest="", status=status, result=result
    )


def insert(steps: Sequence[Step]) -> None:
    """Save the drafts and give them their ids. They began now, and those that wait for nothing are over."""
    if not steps:
        return
    given = [{"n": number, **_row(step)} for number, step in enumerate(steps)]
    with prepared() as cursor:
        found = cursor.execute(_statement(), {"rows": json.dumps(given)}, prepare=True).fetchall()
    for step, (pk,) in zip(steps, sorted(found), strict=True):
        step.pk, step._state.adding, step._state.db = pk, False, "default"


def _row(step: Step) -> dict[str, Any]:
    values = {name: getattr(step, name) for name in _NAMES}
    over = step.status not in WAITING
    return {**values, "idempotency_key": str(step.idempotency_key), "over": over}


@cache
def _statement() -> str:
    return f"""
INSERT INTO playbooks_step ({", ".join(_NAMES)}, started_at, finished_at)
SELECT {", ".join(f"r.{name}" for name in _NAMES)}, statement_timestamp(),
    CASE WHEN r.over THEN statement_timestamp() END
FROM json_to_recordset(%(rows)s::json) AS r(n int, over boolean, {rows.typed(Step, _NAMES)})
ORDER BY r.n RETURNING id"""
