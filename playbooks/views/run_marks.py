"""What the page of a run says of nodes and objects: marks of the drawing, verdicts of a condition, ratings."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from playbooks.choices import OPEN as NODE_OPEN
from playbooks.choices import TaskStatus
from playbooks.graph.model import TARGET, Graph
from playbooks.graph.parameters import OPERATORS, value_label
from playbooks.graph.walk import CONDITIONS
from playbooks.models import Run
from playbooks.response.reading import objects_with
from playbooks.views import words
from playbooks.views.drawing import Mark
from playbooks.views.graph_words import parameter_label
from playbooks.views.target_words import KIND_ICONS, KIND_LABELS
from soar.lib.text import HASH, defang, shorten_hash

FAILED = (TaskStatus.UNSUCCESSFUL, TaskStatus.REJECTED, TaskStatus.EXPIRED, TaskStatus.CANCELLED)
OBJECTS_SHOWN = 30
SCORE_AT_MOST = 40  # characters of a word among scores; longer ones are texts


def marks_of(run: Run, graph: Graph, reached: dict[str, dict[str, Any]], count: int) -> dict[str, Mark]:
    """What the drawing says of each node. ``count``: how many objects the run has."""
    right = frozenset({"right"}) if run.started_at else frozenset()
    over = run.state.is_final or run.cancel_requested  # what has not begun by then does not begin
    gone = _never_reached(graph, reached)
    text = ngettext("%d object", "%d objects", count) % count
    if run.opened_incident_id:
        text = f"INC-{run.opened_incident_id}, {text}"
    begun = "successful" if run.started_at else "queued"
    marks = {"trigger": Mark(begun, went=right), TARGET: Mark(begun, text if run.started_at else "", went=right)}
    for node in graph.nodes:
        state = reached.get(node.id)
        if state is None:
            marks[node.id] = (
                Mark("no_action", _("Not reached")) if over or node.id in gone else Mark("queued", _("Waits"))
            )
        elif node.type in CONDITIONS:
            marks[node.id] = _of_condition(state)
        else:
            marks[node.id] = _of_tasks(state)
    return marks


def _never_reached(graph: Graph, reached: dict[str, dict[str, Any]]) -> set[str]:
    """The nodes that nothing can reach any more: what hangs on a node begins with its end, or never."""
    gone: set[str] = set()
    for node in graph.reading_order:
        before = reached.get(node.parent)
        settled = before is not None and before["status"] not in NODE_OPEN
        if node.id not in reached and (settled or node.parent in gone):
            gone.add(node.id)
    return gone


def _of_condition(state: dict[str, Any]) -> Mark:
    true, false = state["counts"].get("true", 0), state["counts"].get("false", 0)
    went = {side for side, number in (("right", true), ("below", false)) if number}
    if not true and not false:
        return Mark("successful", _("Asked of the alert"), went=frozenset({"right", "below"}))
    line = ngettext("True for %d object", "True for %d objects", true) % true
    return Mark("successful" if true else "no_action", line, str(true), str(false), frozenset(went))


def _of_tasks(state: dict[str, Any]) -> Mark:
    counts: Counter[str] = Counter(state["counts"])
    total = sum(counts.values())
    over = frozenset({"right"}) if state["status"] not in ("queued", "in_progress", "pending_approval") else frozenset()
    if not total:
        return Mark("no_action", _("No action taken"), went=over)
    done = total - counts["queued"] - counts["in_progress"] - counts["pending_approval"] - counts["unknown_outcome"]
    pieces = [_("%(done)d of %(all)d done") % {"done": done, "all": total}]
    failed = sum(counts[word] for word in FAILED)
    if failed:
        pieces.append(_("%d failed") % failed)
    elif counts["pending_approval"]:
        pieces = [_("%d wait for approval") % counts["pending_approval"]]
    status = "no_action" if counts["no_action"] == total else state["status"]
    return Mark(status, ", ".join(pieces), went=over)


def judged(run: Run, graph: Graph, node: str) -> list[dict[str, Any]]:
    """Of a condition that was chosen: each value compared, with the verdict."""
    if not node or graph.node(node).type not in CONDITIONS or run.withheld:
        return []
    result = run.steps.filter(kind="node", name=node).values_list("result", flat=True).first() or {}
    rows = result.get("rows", [])
    values = objects_with(run, [key for row in rows for key in list(row.get("result", {}))[:OBJECTS_SHOWN]])
    found = []
    for row in rows:
        operator = OPERATORS[row["operator"]].label if row["operator"] in OPERATORS else row["operator"]
        wanted = _(" or ").join(value_label(row["parameter"], value) for value in row["values"])
        for key, true in list(row.get("result", {}).items())[:OBJECTS_SHOWN]:
            one = values.get(key)
            seen = row.get("seen_by", {}).get(key, row.get("seen", []))
            found.append({
                "icon": KIND_ICONS.get(one["kind"], "tag") if one else "alerts",
                "value": _shown(one) if one else _("The alert"),
                "compared": f"{parameter_label(row['parameter'])} {operator} {wanted}",
                "seen": ", ".join(value_label(row["parameter"], value) for value in seen[:8]) or _("nothing known"),
                "true": true,
            })  # fmt: skip
    return found


def object_row(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "icon": KIND_ICONS.get(one["kind"], "tag"),
        "kind": KIND_LABELS.get(one["kind"], one["kind"]),
        "value": shorten_hash(_shown(one)),
        "whole": _shown(one),
        "risk": one.get("risk") or "unrated",
        "why": HASH.sub(lambda found: shorten_hash(found[0]), one.get("benign") or one.get("rule") or ""),
        "evidence": [item.get("text", "") for item in one.get("evidence") or []][:5],
        "scores": _scores(one.get("scores")),
    }


def _scores(given: Any) -> str:
    """ "VirusTotal: malicious 61, suspicious 2": what each provider counted, as far as it is a number or a word."""
    told = []
    for name, value in (given or {}).items() if isinstance(given, dict) else ():
        counted = value.items() if isinstance(value, dict) else ((str(value), ""),)
        found = [
            f"{key} {'' if item is True else item}".replace("_", " ").strip()
            for key, item in counted
            if isinstance(item, str | int | float) and item is not False and len(str(item)) <= SCORE_AT_MOST
        ]
        told += [f"{name}: {', '.join(found[:6])}"] if found else []
    return words.line_of("; ".join(told)) if told else ""


def _shown(one: dict[str, Any]) -> str:
    return defang(one["value"], one.get("type", ""))[:160]
