"""The builder's page: the draft drawn, what may follow, the form of the chosen part (response-playbooks.md 1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.errors import Missing
from cases.views.servicenow import coming_back
from playbooks import script_pins
from playbooks.actions.graphs import draft_of, is_published
from playbooks.builder.form import form_of
from playbooks.builder.offers import Offers
from playbooks.figures import NONE
from playbooks.graph import edits
from playbooks.graph.grammar import additions, takes_one, type_of
from playbooks.graph.model import TARGET, Graph, Problem
from playbooks.graph.validate import enabling, saving, validate
from playbooks.graph.words import TYPE_LABELS, title
from playbooks.models import NeverTouch, Playbook, PlaybookVersion
from playbooks.permissions import playbook_for
from playbooks.publishers import powerless, unentitled
from playbooks.selectors import playbook_with_id
from playbooks.stock import Stock
from playbooks.views import graph_words
from playbooks.views.drawing import first_problems, picture
from playbooks.views.parts import Context, holders, person_of, rights_of, signed_in_reader
from playbooks.views.playbooks import row_of
from playbooks.world import offers_of, place, world_of
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions

TEMPLATE = "playbooks/edit.html"
ADD_ICONS = {"condition": "cond", "else_if": "cond", "action": "shield", "else_action": "shield", "notify": "notify"}


@dataclass(frozen=True, slots=True)
class Line:
    """A problem or part of the playbook as a line that leads to it."""

    where: str
    message: str
    url: str
    part: str
    set_up: str = ""


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part in the list under the drawing."""

    kind: str
    name: str
    icon: str
    url: str
    part: str
    current: bool
    wrong: str
    deep: bool


@dataclass(frozen=True, slots=True)
class Add:
    """A button that adds a node: ``value`` is parent, side and type, parted by blanks."""

    value: str
    label: str
    icon: str


@signed_in_reader
@require_safe
def playbook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The page. ``?node=`` is the part that is chosen; for htmx the region."""
    playbook = drawable(request, pk)
    coming_back.forget(request)
    graph = draft_of(playbook)
    part = chosen_part(graph, request.GET.get("node", ""))
    focus = "adds" if request.GET.get("side") else "form" if is_partial(request) else ""
    context = context_of(request, playbook, graph, part, focus=focus)
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["builder"], context)
    return render(request, TEMPLATE, context)


def drawable(request: HttpRequest, pk: int) -> Playbook:
    """The response playbook for somebody who may draw it. Raises Missing, Forbidden."""
    playbook = playbook_with_id(pk)
    if playbook.kind != "response":
        raise Missing(_("A Python playbook cannot be drawn: its file is the truth."))
    return playbook_for(person_of(request), playbook, "edit")


def chosen_part(graph: Graph, wanted: str) -> str:
    """The part that is asked for; of one that is not there, the target."""
    return wanted if wanted in ("playbook", "trigger", TARGET) or wanted in graph.by_id else TARGET


def context_of(
    request: HttpRequest,
    playbook: Playbook,
    graph: Graph,
    part: str,
    *,
    focus: str = "",
    form_graph: Graph | None = None,
    form_problems: Sequence[Problem] = (),
    **more: Any,
) -> Context:
    """What the page needs. ``form_graph``: the graph that the form shows, where that is not saved; ``form_problems``
    are those of it. ``more``: problem, stale, said."""
    user = person_of(request)
    stock = Stock()
    offers = offers_of(user, back=_url(playbook, part).partition("#")[0], stock=stock)
    problems = validate(graph, world_of(playbook, stock=stock))
    hard = saving(problems)
    shown = form_problems if form_graph is not None else hard
    form = form_of(form_graph or graph, part, offers, shown, _searches(request))
    return {
        "playbook": playbook,
        "row": row_of(playbook, NONE),
        "picture": picture(
            graph,
            lambda id: _url(playbook, id),
            selected=part,
            problems=hard,
            add=lambda id, side: _url(playbook, id, side),
        ),
        "form": form,
        "about": graph_words.about(form_graph or graph, part) if part != "playbook" else _about_playbook(graph),
        "menu": menu_of(graph, part),
        "focus": focus,
        "unsaved": form_graph is not None and not form_problems,
        "lacking": _lacking(playbook, graph, problems, offers),
        "parts_list": _parts(playbook, graph, part, hard),
        **_wrong(playbook, graph, hard),
        **_people(playbook, graph, user),
        **_versions(playbook, graph),
        "apply_url": reverse("playbook-edit-part", args=[playbook.pk]),
        "here_url": _url(playbook, part),
        "never_touch": NeverTouch.objects.count(),
        "never_touch_url": place("never_touch"),
        **_adds(graph, part),
        **rights_of(user, playbook),
        **more,
    }


def _wrong(playbook: Playbook, graph: Graph, hard: Sequence[Problem]) -> Context:
    """What hinders publishing."""
    return {
        "wrong": [_line(playbook, graph, one) for one in hard],
        "wrong_nodes": len({one.node for one in hard}),
        "wrong_more": max(0, len(hard) - 6),
    }


def _people(playbook: Playbook, graph: Graph, user: User) -> Context:
    """Whose rights do not reach for what the graph does, and who can be asked."""
    return {
        "powerless": powerless_lines(playbook, graph, user),
        "responders": holders("respond"),
        "unentitled": unentitled_lines(playbook, graph, user),
        "workers": holders("work_cases"),
    }


def _versions(playbook: Playbook, graph: Graph) -> Context:
    """How the draft stands to what is published, and which scripts have changed since."""
    last = PlaybookVersion.objects.filter(playbook=playbook).order_by("-number").values_list("number", flat=True)
    latest, changed = last.first() or 0, script_pins.changed(playbook.current)
    pinned = script_pins.problems(playbook.current, graph, changed)
    return {
        "scripts_changed": [_line(playbook, graph, one) for one in pinned],
        "published": is_published(playbook) and not changed,
        "draft_label": _draft_label(playbook, latest),
        "next_version": latest + 1,
        "version_count": latest,
    }


def _about_playbook(graph: Graph) -> graph_words.About:
    return graph_words.About(_("Playbook"), graph.name, "", "playbooks")


def _searches(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(f"{name}.search", "")[:200] for name in ("models", "owners")}


def _url(playbook: Playbook, part: str, side: str = "") -> str:
    query = urlencode({"node": part, **({"side": side} if side else {})})
    return f"{reverse('playbook-edit', args=[playbook.pk])}?{query}#{'adds' if side else 'node-form'}"


def _draft_label(playbook: Playbook, latest: int) -> str:
    if is_published(playbook) and playbook.current:
        return _("Version %d") % playbook.current.number
    return _("Draft of version %d") % (latest + 1)


def where(graph: Graph, node: str) -> str:
    """Where a problem is, in words."""
    if not node:
        return _("Playbook")
    if node in ("trigger", TARGET):
        return _(TYPE_LABELS[node])
    return title(graph, node) if node in graph.by_id else node


def _line(playbook: Playbook, graph: Graph, one: Problem) -> Line:
    url = _url(playbook, one.node or "playbook")
    return Line(where(graph, one.node), one.message, url, url.partition("#")[0])


def _lacking(playbook: Playbook, graph: Graph, problems: Iterable[Problem], offers: Offers) -> list[Line]:
    """What only hinders the switch."""
    found = enabling(problems)
    return [replace(_line(playbook, graph, one), set_up=_set_up(one, offers)) for one in found]


def powerless_lines(playbook: Playbook, graph: Graph, user: User) -> list[Line]:
    """The nodes that would fail in an automatic run of what this person publishes, with what would not be done."""
    return [
        _line(playbook, graph, Problem(node.id, "actions", ", ".join(labels)))
        for node, labels in powerless(graph, user)
    ]


def unentitled_lines(playbook: Playbook, graph: Graph, user: User) -> list[Line]:
    """The same of what changes the case."""
    return [_line(playbook, graph, Problem(id, "actions", ", ".join(labels))) for id, labels in unentitled(graph, user)]


def _set_up(one: Problem, offers: Offers) -> str:
    if not one.node:
        return place("source")
    return offers.urls.get("mail" if "mail" in one.message.lower() else "connector", "")


def _parts(playbook: Playbook, graph: Graph, chosen: str, problems: Iterable[Problem]) -> list[PartLine]:
    wrong = first_problems(problems)
    found = []
    for id in ("playbook", "trigger", TARGET, *(node.id for node in graph.reading_order)):
        about = _about_playbook(graph) if id == "playbook" else graph_words.about(graph, id)
        url = _url(playbook, id)
        deep = id in graph.by_id and graph.node(id).parent != TARGET
        message = wrong.get("" if id == "playbook" else id, "")
        found.append(
            PartLine(about.kind, about.name, about.icon, url, url.partition("#")[0], id == chosen, message, deep)
        )
    return found


def _adds(graph: Graph, part: str) -> Context:
    """The buttons under the drawing: exactly what may be added to the part that is chosen."""
    if part in ("playbook", "trigger"):
        part = TARGET
    found = [
        Add(f"{one.parent} {one.side} {one.type}", _button(graph, one.parent, one.side, one.type), ADD_ICONS[one.type])
        for one in additions(graph, part)
    ]
    return {"adds": found, "adds_title": title(graph, part), "adds_none": _("Nothing can be added here.")}


def _button(graph: Graph, parent: str, side: str, type: str) -> str:
    label = _(TYPE_LABELS[type])
    if side == "below":
        return _("%s below it") % label
    if takes_one(type_of(graph, parent), side):
        return _("%s after it") % label
    return _("%s, parallel") % label if graph.children(parent, "right") else label


def menu_of(graph: Graph, part: str) -> list[tuple[str, str, str]]:
    """What can be done with the node that is chosen: what, sign, words."""
    if part not in graph.by_id:
        return []
    behind = sum(1 for _node in graph.beneath(part))
    found = []
    if edits.move(graph, part, -1) != graph:
        found.append(("earlier", "up", _("Move earlier")))
    if edits.move(graph, part, 1) != graph:
        found.append(("later", "down", _("Move later")))
    if _can_duplicate(graph, part):
        found.append(("duplicate", "copy", _("Duplicate")))
    if edits.can_lift(graph, part):
        found.append(("lift", "x", _("Remove this one, keep what follows")))
    words = _("Remove, with %d that follow") % behind if behind > 1 else _("Remove, with the one that follows")
    found.append(("remove", "trash", words if behind else _("Remove")))
    return found


def _can_duplicate(graph: Graph, part: str) -> bool:
    try:
        edits.duplicate(graph, part)
    except edits.Illegal:
        return False
    return True
