"""The nodes of response runs in the box of runs: by the names that their author gave, with how far they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db.models import Count
from django.utils.translation import gettext as _

from playbooks.choices import TaskStatus
from playbooks.models import PlaybookVersion, ResponseTask, Step

Line = tuple[str, str]


def lines_of(steps: Mapping[int, Sequence[Step]], versions: Mapping[int, int | None]) -> dict[int, Line]:
    """``{step id: (name, note)}`` of steps of response runs; ``steps`` and ``versions`` by run. Two queries, none
    without such steps."""
    nodes = {run: [step for step in found if step.kind in ("node", "rating")] for run, found in steps.items()}
    ids = [step.pk for found in nodes.values() for step in found]
    if not ids:
        return {}
    names = _names([versions.get(run) for run, found in nodes.items() if found])
    counts = _counts(ids)
    return {
        step.pk: (names.get((versions.get(run), step.name), _label(step)), _note(step, counts.get(step.pk, Counter())))
        for run, found in nodes.items()
        for step in found
    }


def _names(versions: Sequence[int | None]) -> dict[tuple[int | None, str], str]:
    rows = PlaybookVersion.objects.filter(pk__in=[pk for pk in versions if pk]).values_list("pk", "definition")
    return {
        (pk, str(node.get("id"))): str(node["name"])
        for pk, definition in rows
        for node in definition.get("nodes", [])
        if node.get("name")
    }


def _counts(ids: Sequence[int]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {}
    rows = ResponseTask.objects.filter(step__in=ids).order_by().values("step", "status")
    for row in rows.annotate(number=Count("pk")):
        found.setdefault(row["step"], Counter())[row["status"]] = row["number"]
    return found


def _label(step: Step) -> str:
    return _("Rating") if step.kind == "rating" else step.name


def _note(step: Step, tasks: Counter[str]) -> str:
    kept = step.result if isinstance(step.result, dict) else {}
    if step.kind == "rating":
        return _("%d objects") % kept["objects"] if isinstance(kept.get("objects"), int) else ""
    if "true" in kept:
        return _asked(kept)
    if not tasks:
        return _("no action")
    return _("%(done)d of %(all)d done") % {"done": tasks[TaskStatus.SUCCESSFUL], "all": tasks.total()}


def _asked(kept: dict[str, object]) -> str:
    """What came of a condition: for how many objects it is true, or once for all."""
    if isinstance(kept.get("once"), bool):
        return _("true") if kept["once"] else _("false")
    yes, no = kept.get("true"), kept.get("false")
    if not isinstance(yes, list) or not isinstance(no, list):
        return ""
    return _("%(yes)d of %(all)d") % {"yes": len(yes), "all": len(yes) + len(no)}
