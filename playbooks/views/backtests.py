"""The page of a backtest (response-playbooks.md 30): started, watched, stopped; figures that fill in as it reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Conflict, Refused
from cases.models import Alert
from playbooks.actions import backtests
from playbooks.backtest.tally import ASKS, CASE_ONLY, NOTHING, OUTCOMES, RUNS, TOP
from playbooks.backtest.working import OPEN
from playbooks.choices import JobStatus
from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import Graph
from playbooks.graph.schema import read
from playbooks.graph.words import CONDITIONS, TYPE_LABELS, name_of
from playbooks.models import Backtest, Playbook
from playbooks.views.builder import drawable
from playbooks.views.drawing import Mark, picture
from playbooks.views.parts import Context, person_of, signed_in_reader, workers_alive
from playbooks.views.target_words import KIND_LABELS
from soar.accounts.models import User
from soar.lib.htmx import is_partial, redirect, render_regions

TEMPLATE = "playbooks/backtest.html"
PERIODS = (7, 30, 90)
TONES = {ASKS: "t-violet", RUNS: "t-green", CASE_ONLY: "t-blue", NOTHING: "t-grey"}
LABELS = {
    ASKS: gettext_noop("Would ask for approval"),
    RUNS: gettext_noop("Would run at once"),
    CASE_ONLY: gettext_noop("Would only work on the case"),
    NOTHING: gettext_noop("Would do nothing"),
}
HIGH, BOTTOM, LEFT, WIDTH = 140.0, 148.0, 26.0, 760.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of the chart."""

    label: str
    said: str
    x: str
    w: str
    axis_x: str
    axis: str
    pieces: list[tuple[str, str, str, str, str]]


@dataclass(frozen=True, slots=True)
class Branch:
    """How many alerts went a way."""

    name: str
    why: str
    count: int
    tone: str


@dataclass(frozen=True, slots=True)
class ActionRow:
    """How often an action would act."""

    label: str
    alerts: int
    objects: int
    kinds: str
    asks: int
    held: int
    benign: int
    lacking: int
    often: str


@signed_in_reader
@require_safe
def playbook_backtest(request: HttpRequest, pk: int) -> HttpResponse:
    """The page: the newest backtest of this person, or ``?id=``; for htmx what changed, 204 if nothing did."""
    playbook = drawable(request, pk)
    user = person_of(request)
    row = _chosen(request, playbook, user)
    if is_partial(request):
        if row is None or request.GET.get("seen") == _seen(row):
            return HttpResponse(status=204)
        return render_regions(request, TEMPLATE, ["figures"], _context(playbook, row, user))
    return render(request, TEMPLATE, _context(playbook, row, user))


def _chosen(request: HttpRequest, playbook: Playbook, user: User) -> Backtest | None:
    wanted = request.GET.get("id", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        return backtests.visible(user, int(wanted))
    if user.viewer is not None:  # as ``backtests.visible``
        return None
    return Backtest.objects.filter(playbook=playbook, started_by=user).order_by("-pk").first()


@signed_in_reader
@require_POST
def playbook_backtest_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Queue one for the chosen days."""
    playbook = drawable(request, pk)
    text = request.POST.get("days", "")
    try:
        backtests.start(
            Actor.of(person_of(request)), playbook, days=int(text) if text.isascii() and text.isdigit() else 0
        )
    except (Refused, Conflict) as error:
        messages.error(request, error.message)
    return redirect(request, reverse("playbook-backtest", args=[pk]))


@signed_in_reader
@require_POST
def playbook_backtest_cancel(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Stop it; what was counted stays."""
    drawable(request, pk)
    backtests.cancel(Actor.of(person_of(request)), number)
    return redirect(request, f"{reverse('playbook-backtest', args=[pk])}?id={number}")


def _context(playbook: Playbook, row: Backtest | None, user: User) -> Context:
    base: Context = {"playbook": playbook, "row": row, "periods": PERIODS, "workers": workers_alive()}
    if row is None:
        return base
    graph, result = read(row.graph)[0], row.result or {}
    matched = int(result.get("matched", 0))
    actions = [_action(name, one) for name, one in result.get("actions", {}).items()]
    return base | {
        "graph": graph,
        "alive": row.status in OPEN,
        "stopped": row.status == JobStatus.CANCELLED,
        "failed": row.status == JobStatus.UNSUCCESSFUL,
        "seen": _seen(row),
        "percent": row.looked_at * 100 // row.total if row.total else 0,
        "left": _left(row),
        "share": f"{matched * 100 / row.looked_at:.1f}" if row.looked_at else "0",
        "matched": matched,
        "outside": result.get("outside_periods", 0),
        "outcomes": _outcomes(result),
        "bars": _bars(row, result),
        "legend": [(TONES[word], _(LABELS[word])) for word in OUTCOMES],
        "branches": _branches(graph, result),
        "actions": actions,
        "objects": sum(one.objects for one in actions if one.kinds),
        "held_total": sum(one.held for one in actions),
        "lacking_total": sum(one.lacking for one in actions),
        "held": _with_alerts(user, result.get("held", [])),
        "sample": _sample(user, graph, result),
        "picture": picture(graph, lambda _id: "#graph", marks=_marks(graph, result)),
    }


def _seen(row: Backtest) -> str:
    """Changes with what the page shows."""
    return f"{row.pk}-{row.status}-{row.looked_at}"


def _left(row: Backtest) -> str:
    """About how long it still takes, from how fast it was so far."""
    if row.started_at is None or not row.looked_at or row.status not in OPEN:
        return ""
    passed = (timezone.now() - row.started_at).total_seconds()
    return _("about %d s left") % max(1, round(passed * (row.total - row.looked_at) / row.looked_at))


def _outcomes(result: dict[str, Any]) -> list[tuple[str, str, int]]:
    total: Counter[str] = Counter()
    for day in result.get("days", {}).values():
        total.update(day)
    return [(TONES[word], _(LABELS[word]), total[word]) for word in OUTCOMES if total[word]]


def _bars(row: Backtest, result: dict[str, Any]) -> list[Bar]:
    """One bar a day, stacked by outcome."""
    days = result.get("days", {})
    last = row.created_at.date()
    dates = [last - timedelta(days=back) for back in range(row.days - 1, -1, -1)]
    most = max((sum(day.values()) for day in days.values()), default=0) or 1
    step = (WIDTH - LEFT) / len(dates)
    return [_bar(day, days.get(day.isoformat(), {}), LEFT + number * step, step, most, number, len(dates))
            for number, day in enumerate(dates)]  # fmt: skip


def _bar(day: date, counts: dict[str, int], x: float, step: float, most: int, number: int, days: int) -> Bar:
    pieces, top = [], BOTTOM
    for word in OUTCOMES:
        if counts.get(word):
            height = HIGH * counts[word] / most
            top -= height
            inner = max(1.0, step * 0.6)
            pieces.append(
                (TONES[word], f"{x + step * 0.2:.1f}", f"{top:.1f}", f"{inner:.1f}", f"{max(1.0, height):.1f}")
            )
    total = sum(counts.values())
    label = f"{day.day} {day:%b}"
    said = _("%(day)s: %(n)d matches") % {"day": label, "n": total}
    said += "".join(f", {counts[word]} {_(LABELS[word]).lower()}" for word in OUTCOMES if counts.get(word))
    axis = label if number % max(1, days // 10) == 0 else ""
    return Bar(label, said, f"{x:.1f}", f"{step:.1f}", f"{x + step / 2:.1f}", axis, pieces)


def _branches(graph: Graph, result: dict[str, Any]) -> list[Branch]:
    """The ways out of conditions, and what hangs on the target itself."""
    right, nodes = result.get("right", {}), result.get("nodes", {})
    found = []
    for node in graph.reading_order:
        if node.type in CONDITIONS:
            following = ", ".join(name_of(one) for one in graph.children(node.id, "right")[:3])
            found.append(Branch(name_of(node), following, right.get(node.id, 0), _tone(node.type)))
        elif node.side == "below" or node.parent == "target":
            found.append(Branch(name_of(node), _(TYPE_LABELS[node.type]), nodes.get(node.id, 0), _tone(node.type)))
    return found


def _tone(type: str) -> str:
    return {"condition": "t-violet", "else_if": "t-green"}.get(type, "t-grey")


def _action(name: str, one: dict[str, Any]) -> ActionRow:
    kinds = ", ".join(f"{count} {KIND_LABELS.get(kind, kind)}" for kind, count in one["kinds"].items())
    often = ", ".join(
        _("%(value)s (%(n)d times)") % {"value": value, "n": count} if count > 1 else value
        for value, count in Counter(one["values"]).most_common(TOP)
    )
    label = _(ACTIONS[name].label) if name in ACTIONS else name
    return ActionRow(
        label, one["alerts"], one["objects"], kinds, one["asks"], one["held"], one["benign"], one["lacking"], often
    )  # fmt: skip


def _with_alerts(user: User, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with their alerts, as far as the reader may see them now."""
    found = (
        Alert.objects.visible_to(user).only("title", "severity", "received_at").in_bulk({row["alert"] for row in rows})
    )
    return [
        {**row, "number": found[row["alert"]].number, "title": found[row["alert"]].title,
         "severity": Severity(found[row["alert"]].severity).word, "at": found[row["alert"]].received_at,
         "label": _(ACTIONS[row["action"]].label) if row.get("action") in ACTIONS else ""}
        for row in rows if row["alert"] in found
    ]  # fmt: skip


def _sample(user: User, graph: Graph, result: dict[str, Any]) -> list[dict[str, Any]]:
    rows = _with_alerts(user, list(reversed(result.get("sample", []))))
    return [
        {**row, "tone": TONES[row["outcome"]], "said": _(LABELS[row["outcome"]]),
         "last": name_of(graph.node(row["last"])) if row["last"] in graph.by_id else ""}
        for row in rows
    ]  # fmt: skip


def _marks(graph: Graph, result: dict[str, Any]) -> dict[str, Mark]:
    """How many alerts came by each node."""
    nodes, right, below = result.get("nodes", {}), result.get("right", {}), result.get("below", {})
    matched = result.get("matched", 0)
    taken = frozenset({"right"}) if matched else frozenset()
    marks = {
        "trigger": Mark("via" if matched else "no_action", went=taken),
        "target": Mark("via" if matched else "no_action", _("%s alerts") % f"{matched:,}", went=taken),
    }
    for node in graph.nodes:
        count = nodes.get(node.id, 0)
        went = {side for side, counts in (("right", right), ("below", below)) if counts.get(node.id)}
        if node.type not in CONDITIONS and count:
            went = {"right"}
        marks[node.id] = Mark(
            "via" if count else "no_action", _("%s alerts") % f"{count:,}",
            f"{right[node.id]:,}" if node.id in right else "", f"{below[node.id]:,}" if node.id in below else "",
            frozenset(went),
        )  # fmt: skip
    return marks
