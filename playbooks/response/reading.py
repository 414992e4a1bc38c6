"""How far a run is, node by node: for the drawing of the graph, the list of its tasks, the JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import F, Func, IntegerField

from playbooks.choices import StepStatus, TaskStatus
from playbooks.models import Run, Step

# ``targets`` is null, or a JSON null, until the objects are gathered.
_LIST = "CASE jsonb_typeof(targets) WHEN 'array' THEN targets END"
OBJECTS = f"""
SELECT jsonb_array_length(whole), jsonb_path_query_array(whole, '$[0 to $last]', jsonb_build_object('last', %s))::text
FROM (SELECT {_LIST} AS whole FROM playbooks_run WHERE id = %s) one"""  # noqa: S608  our own words
WITH_KEYS = f"""
SELECT one::text FROM playbooks_run, jsonb_array_elements({_LIST}) one
WHERE id = %s AND one->>'key' = ANY(%s)"""  # noqa: S608  our own words


def nodes_of(run: Run) -> list[Step]:
    """The steps of the nodes that the run has reached, in their order."""
    return list(Step.objects.filter(run=run, kind="node").order_by("position", "pk"))


def verdicts_of(run: Run) -> list[tuple[str, str, int | None, int | None]]:
    """Name, status and, of a condition, for how many objects it was true and false, of the nodes that were reached."""
    rows = Step.objects.filter(run=run, kind="node").order_by("position", "pk")
    return list(rows.values_list("name", "status", _length("result__true"), _length("result__false")))


def objects_shown(run: Run, most: int) -> tuple[int, list[dict[str, Any]]]:
    """How many objects a run has, and the first of them: the others stay in the database."""
    with connection.cursor() as cursor:
        cursor.execute(OBJECTS, [most - 1, run.pk])
        count, first = cursor.fetchone() or (0, None)
    return count or 0, json.loads(first or "[]")


def objects_with(run: Run, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Some of the objects of a run, by their keys."""
    with connection.cursor() as cursor:
        cursor.execute(WITH_KEYS, [run.pk, list(keys)])
        return {one["key"]: one for one in (json.loads(row[0]) for row in cursor.fetchall())}


def _length(path: str) -> Func:
    return Func(F(path), function="jsonb_array_length", output_field=IntegerField())


def status_of(statuses: Counter[str]) -> StepStatus:
    """What a node is while its tasks are as they are: the step's word for the least successful, where a mixture of
    done and failed is *partially successful* (response-playbooks.md 25)."""
    if statuses[TaskStatus.UNKNOWN_OUTCOME]:
        return StepStatus.NEEDS_DECISION
    if statuses[TaskStatus.PENDING_APPROVAL]:
        return StepStatus.PENDING_APPROVAL
    if statuses[TaskStatus.IN_PROGRESS] or statuses[TaskStatus.QUEUED]:
        return StepStatus.IN_PROGRESS
    failed = sum(statuses[word] for word in (TaskStatus.UNSUCCESSFUL, TaskStatus.REJECTED, TaskStatus.EXPIRED))
    failed += statuses[TaskStatus.CANCELLED]
    if not failed:
        return StepStatus.SUCCESSFUL
    if statuses[TaskStatus.SUCCESSFUL]:
        return StepStatus.PARTIALLY_SUCCESSFUL
    only_cancelled = failed == statuses[TaskStatus.CANCELLED]
    return StepStatus.CANCELLED if only_cancelled else StepStatus.UNSUCCESSFUL
