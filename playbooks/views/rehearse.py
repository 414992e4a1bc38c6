"""The page of a rehearsal (response-playbooks.md 29): a draft against a stored alert. Reads only."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.choices import Severity
from cases.errors import Missing
from cases.models import Alert
from cases.permissions import alert_for
from playbooks import rehearsal, script_pins
from playbooks.actions.graphs import draft_of, is_published
from playbooks.graph.diff import Change, difference, script_differences
from playbooks.graph.model import TARGET, Graph
from playbooks.graph.parameters import OPERATORS, value_label
from playbooks.graph.schema import read
from playbooks.graph.words import TYPE_LABELS, name_of
from playbooks.models import Playbook
from playbooks.rehearsal import ASKS, AT_ONCE, HELD, NOT_DONE, Deed, Rehearsal, Visit, as_json
from playbooks.views.builder import drawable
from playbooks.views.drawing import Mark, picture
from playbooks.views.graph_words import parameter_label
from playbooks.views.parts import Context, person_of, signed_in_reader
from playbooks.views.target_words import KIND_ICONS, KIND_LABELS
from soar.accounts.models import User
from soar.lib import parts

TEMPLATE = "playbooks/rehearse.html"
OFFERED, OBJECTS_SHOWN, DEEDS_SHOWN = 12, 60, 60
WHEN = {AT_ONCE: "queued", ASKS: "pending_approval", HELD: "pending_approval", NOT_DONE: "no_action"}


@dataclass(frozen=True, slots=True)
class Compared:
    """One value compared, finished for the page."""

    icon: str
    value: str
    parameter: str
    operator: str
    wanted: str
    seen: str
    risk: str
    evidence: str
    true: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A condition on the path with all that it compared."""

    id: str
    kind: str
    name: str
    said: str
    rows: list[Compared]
    more: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A task with the requests that it would send."""

    number: int
    node: str
    label: str
    account: str
    value: str
    when: SafeString
    reason: str
    texts: list[str]


@signed_in_reader
@require_safe
def playbook_rehearse(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; ``?alert=ALR-7`` rehearses, without it alerts are offered. ``?format=json`` is the whole as a file."""
    playbook = drawable(request, pk)
    user, graph = person_of(request), draft_of(playbook)
    wanted = request.GET.get("alert", "").strip()[:40]
    context: Context = {"playbook": playbook, "graph": graph, "alert_text": wanted, "offered": _offered(user, graph)}
    if not wanted:
        return render(request, TEMPLATE, context)
    try:
        alert = alert_for(user, wanted)
    except Missing as error:
        return render(request, TEMPLATE, {**context, "problem": error.message}, status=404)
    made = rehearsal.rehearse(playbook, graph, alert, user)
    if request.GET.get("format") == "json":
        return _file(playbook, made)
    return render(request, TEMPLATE, context | _context(playbook, graph, made))


def _offered(user: User, graph: Graph) -> list[tuple[Alert, str]]:
    """The newest alerts that the target takes, each with its severity's word."""
    levels = [Severity.from_word(word).value for word in graph.target.severities if word in Severity.words()]
    rows = Alert.objects.visible_to(user).filter(severity__in=levels)
    if graph.target.models:
        rows = rows.filter(detection_model__in=graph.target.models)
    found = rows.only("title", "severity", "received_at", "detection_model").order_by("-pk")[:OFFERED]
    return [(one, Severity(one.severity).word) for one in found]


def _context(playbook: Playbook, graph: Graph, made: Rehearsal) -> Context:
    deeds = made.deeds
    when = Counter(deed.when for deed in deeds)
    requests = sum(len(deed.requests) for deed in deeds if not deed.message)
    reached = made.reached()
    return {
        "made": made,
        "picture": picture(graph, lambda id: f"#node-{id}", marks=marks_of(graph, made)),
        "judged": [_judged(graph, visit, made) for visit in made.visits if visit.verdict is not None],
        "sent": [_sent(graph, number, deed) for number, deed in enumerate(deeds[:DEEDS_SHOWN], 1)],
        "sent_more": max(0, len(deeds) - DEEDS_SHOWN),
        "requests": requests,
        "told": sum(deed.message for deed in deeds),
        "at_once": when[AT_ONCE],
        "asks": when[ASKS],
        "held": when[HELD],
        "not_done": when[NOT_DONE],
        "not_reached": [name_of(node) for node in graph.reading_order if node.id not in reached],
        "changes": _changes(playbook, graph)[:12],
        "targets": [_object(one) for one in made.objects[:OBJECTS_SHOWN]],
        "json_url": f"{reverse('playbook-rehearse', args=[playbook.pk])}?alert={made.alert.number}&format=json",
    }


def _changes(playbook: Playbook, graph: Graph) -> list[Change]:
    """What differs between the version that runs and the draft, which is rehearsed with the scripts of now."""
    version = playbook.current
    if version is None:
        return []
    found = [] if is_published(playbook) else difference(read(version.definition)[0], graph)
    return [*found, *script_differences(version.scripts or {}, script_pins.of_graph(graph))]


def marks_of(graph: Graph, made: Rehearsal) -> dict[str, Mark]:
    """What the drawing says: the way taken, and what each node would do."""
    taken = frozenset({"right"})
    count = ngettext("%d object", "%d objects", len(made.objects)) % len(made.objects)
    target = Mark("no_action", made.off, went=taken) if made.off else Mark("via", count, went=taken)
    marks = {"trigger": Mark("via", went=taken), TARGET: target}
    marks |= {node.id: Mark("no_action", _("Not reached")) for node in graph.nodes}
    return marks | {visit.node.id: _mark(visit) for visit in made.visits}


def _mark(visit: Visit) -> Mark:
    verdict = visit.verdict
    if verdict is None:
        counts = Counter(deed.when for deed in visit.deeds)
        word = HELD if counts[HELD] else ASKS if counts[ASKS] else AT_ONCE if counts[AT_ONCE] else NOT_DONE
        state = WHEN[word] if word != AT_ONCE else "via"
        return Mark(state, _tasks(counts), went=frozenset({"right"}))
    went = {side for side, there in (("right", verdict.true or verdict.once is True),
                                     ("below", verdict.false or verdict.once is False)) if there}  # fmt: skip
    if verdict.once is None:
        line = _("True for %(true)d, false for %(false)d") % {"true": len(verdict.true), "false": len(verdict.false)}
        return Mark("via", line, str(len(verdict.true)), str(len(verdict.false)), frozenset(went))
    return Mark("via", _("True") if verdict.once else _("False"), went=frozenset(went))


def _tasks(counts: Counter[str]) -> str:
    total = sum(counts.values())
    if not total:
        return _("Nothing to do")
    text = ngettext("%d task", "%d tasks", total) % total
    if counts[ASKS] or counts[HELD]:
        text += ", " + _("%d ask first") % (counts[ASKS] + counts[HELD])
    return text


def _judged(graph: Graph, visit: Visit, made: Rehearsal) -> Judged:
    assert visit.verdict is not None
    verdict = visit.verdict
    by_key = {one["key"]: one for one in made.objects}
    rows = [
        _compared(row.parameter, row.operator, row.values, row.seen_by(key), true, by_key.get(key))
        for row in verdict.rows
        for key, true in row.result.items()
    ]
    if verdict.once is None:
        said = _("%(true)d of %(all)d objects go right, %(false)d go to the else") % {
            "true": len(verdict.true), "all": len(verdict.true) + len(verdict.false), "false": len(verdict.false),
        }  # fmt: skip
    else:
        said = _("True: all go right") if verdict.once else _("False: all go to the else")
    return Judged(
        visit.node.id, _(TYPE_LABELS[visit.node.type]), name_of(visit.node), said, rows[:OBJECTS_SHOWN],
        max(0, len(rows) - OBJECTS_SHOWN),
    )  # fmt: skip


def _compared(
    parameter: str,
    operator: str,
    values: tuple[str, ...],
    seen: tuple[str, ...],
    true: bool,
    one: dict[str, Any] | None,
) -> Compared:
    about_risk = parameter == "object_risk" and one is not None
    return Compared(
        icon=KIND_ICONS.get(one["kind"], "tag") if one else "alerts",
        value=one["value"] if one else _("The alert"),
        parameter=parameter_label(parameter),
        operator=_(OPERATORS[operator].label) if operator in OPERATORS else operator,
        wanted=_(" or ").join(value_label(parameter, value) for value in values),
        seen="" if about_risk else ", ".join(seen[:8]) or _("nothing known"),
        risk=one["risk"] if one and about_risk else "",
        evidence=(one.get("benign") or one.get("rule") or "")[:200] if one and about_risk else "",
        true=true,
    )


def _object(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "icon": KIND_ICONS.get(one["kind"], "tag"), "kind": KIND_LABELS.get(one["kind"], one["kind"]),
        "value": one["value"], "type": one["type"], "risk": one["risk"], "rule": one["rule"], "benign": one["benign"],
    }  # fmt: skip


def _sent(graph: Graph, number: int, deed: Deed) -> Sent:
    said = {AT_ONCE: _("At once"), ASKS: _("After approval"), HELD: _("After approval with a reason"),
            NOT_DONE: _("Not done")}  # fmt: skip
    word = WHEN[deed.when]
    when = parts.state(word).replace(parts.label(word), said[deed.when])
    value = deed.object.value if deed.object else ""
    node = name_of(graph.node(deed.node))
    return Sent(
        number, node, _(deed.label), deed.account, value, SafeString(when), deed.reason,
        [request_text(one) for one in deed.requests],
    )  # fmt: skip


def request_text(one: dict[str, Any]) -> str:
    """A request as people read it: first line, headers, body. Secrets are masked already."""
    rest = dict(one)
    method, url = rest.pop("method", ""), rest.pop("url", "")
    lines = [f"{method} {url}".strip()] if method or url else []
    headers = rest.pop("headers", None)
    if isinstance(headers, dict):
        lines += [f"{name}: {value}" for name, value in headers.items()]
    for name in ("json", "body", "content"):
        if (body := rest.pop(name, None)) not in (None, "", {}):
            lines.append(body if isinstance(body, str) else json.dumps(body, indent=1, ensure_ascii=False, default=str))
    left = {name: value for name, value in rest.items() if value not in (None, "", {}, [])}
    if left:
        lines.append(json.dumps(left, indent=1, ensure_ascii=False, default=str))
    return "\n".join(lines)[:6000]


def _file(playbook: Playbook, made: Rehearsal) -> HttpResponse:
    text = json.dumps({"playbook": playbook.name, **as_json(made)}, indent=2, ensure_ascii=False, default=str)
    name = f"rehearsal-{playbook.pk}-{made.alert.number}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)
