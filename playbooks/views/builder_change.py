"""What the builder's forms send: a part applied, a node added, moved, copied, removed, the draft published.

Every change names the draft that the person saw; if another one is there by now, nothing is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Refused
from playbooks.actions import graphs, publishing
from playbooks.builder import sent
from playbooks.graph import edits
from playbooks.graph.model import TARGET, Graph, Problem
from playbooks.graph.schema import read, write
from playbooks.graph.validate import World, validate
from playbooks.models import Playbook
from playbooks.publishers import powerless, unentitled
from playbooks.views.builder import TEMPLATE, chosen_part, context_of, drawable, where
from playbooks.views.parts import Context, person_of, signed_in_reader
from playbooks.world import world_of
from soar.lib.htmx import is_partial, live, push_url, redirect, render_regions

Edit = Callable[[Graph], Graph]


@signed_in_reader
@require_POST
def playbook_edit_part(request: HttpRequest, pk: int) -> HttpResponse:
    """Apply the form of one part; or, with another ``do``, show the form anew without saving.

    What would break a rule is refused beside the field, and nothing is saved (response-playbooks.md)."""
    playbook = drawable(request, pk)
    graph = graphs.draft_of(playbook)
    part = chosen_part(graph, request.POST.get("node", ""))
    made, wrong = read(sent.apply(write(graph), part, request.POST))
    if request.POST.get("do") != "apply":
        return _answer(request, playbook, graph, part, form_graph=made, focus="")
    problems = wrong + new_problems(graph, made, part, world_of(playbook))
    if problems:
        return _refused(request, playbook, graph, made, part, problems)
    return _save(request, playbook, lambda _graph: made, part, _("Saved."))


def new_problems(old: Graph, new: Graph, part: str, world: World) -> list[Problem]:
    """What refuses a change: problems of the part itself, and those that it would make elsewhere. What other parts
    lacked before is none of its business: a draft is made step by step."""
    node = "" if part == "playbook" else part
    known = {(one.node, one.field, one.message) for one in validate(old, world)}
    # That it does nothing yet is no fault of a part.
    found = [one for one in validate(new, world) if not one.enabling and (one.node, one.field) != ("", "nodes")]
    return [one for one in found if one.node == node or (one.node, one.field, one.message) not in known]


def _refused(
    request: HttpRequest, playbook: Playbook, graph: Graph, made: Graph, part: str, problems: list[Problem]
) -> HttpResponse:
    node = "" if part == "playbook" else part
    elsewhere = [f"{where(made, one.node)}: {one.message}" for one in problems if one.node != node]
    mine = [one for one in problems if one.node == node]
    text = _("Nothing was saved.") + " " + (" ".join(elsewhere[:3]) if elsewhere else mine[0].message)
    problems = mine or [Problem(node, "", elsewhere[0])]
    return _answer(
        request, playbook, graph, part, form_graph=made, form_problems=problems, problem=text, status=422
    )  # fmt: skip


@signed_in_reader
@require_POST
def playbook_edit_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a node where it is legal, and show its form."""
    playbook = drawable(request, pk)
    pieces = request.POST.get("add", "").split(" ")
    parent, side, type_ = pieces if len(pieces) == 3 else ("", "", "")
    fresh = edits.next_id(graphs.draft_of(playbook))
    return _edit(request, playbook, lambda graph: edits.add(graph, parent, side, type_, id=fresh), fresh, _("Added."))


@signed_in_reader
@require_POST
def playbook_edit_node(request: HttpRequest, pk: int) -> HttpResponse:
    """Move, copy or remove the node that is chosen."""
    playbook = drawable(request, pk)
    graph = graphs.draft_of(playbook)
    part = request.POST.get("node", "")
    if part not in graph.by_id:
        return _answer(request, playbook, graph, TARGET, problem=_("That node is no longer there."), status=409)
    do = request.POST.get("do", "")
    above = graph.node(part).parent
    doing: dict[str, tuple[Edit, str, str]] = {
        "earlier": (lambda now: edits.move(now, part, -1), part, _("Moved.")),
        "later": (lambda now: edits.move(now, part, 1), part, _("Moved.")),
        "duplicate": (lambda now: edits.duplicate(now, part), edits.next_id(graph), _("Copied.")),
        "lift": (lambda now: edits.lift(now, part), above, _("Removed; what followed has moved up.")),
        "remove": (lambda now: edits.remove(now, part), above, _("Removed.")),
    }
    if do not in doing:
        return _answer(request, playbook, graph, part, problem=_("There is no such change."), status=422)
    edit, then, said = doing[do]
    return _edit(request, playbook, edit, then, said)


def _edit(request: HttpRequest, playbook: Playbook, edit: Edit, then: str, said: str) -> HttpResponse:
    try:
        return _save(request, playbook, edit, then, said)
    except (edits.Illegal, KeyError) as error:
        text = str(error) if isinstance(error, edits.Illegal) else _("That node is no longer there.")
        graph = graphs.draft_of(playbook)
        return _answer(request, playbook, graph, chosen_part(graph, then), problem=text, status=422)


def _save(request: HttpRequest, playbook: Playbook, edit: Edit, then: str, said: str) -> HttpResponse:
    try:
        saved = graphs.change_draft(Actor.of(person_of(request)), playbook, edit, number=_draft(request))
    except Conflict as error:
        return _stale(request, playbook, error)
    except Refused as error:
        graph = graphs.draft_of(playbook)
        made = edit(graph)
        problems = [Problem("", error.field or "", error.message)]
        return _answer(
            request, playbook, graph, then, form_graph=made, form_problems=problems, problem=error.message, status=422
        )  # fmt: skip
    return _done(request, saved, then, said)


def _done(request: HttpRequest, playbook: Playbook, part: str, said: str) -> HttpResponse:
    playbook = drawable(request, playbook.pk)
    graph = graphs.draft_of(playbook)
    part = chosen_part(graph, part)
    url = f"{reverse('playbook-edit', args=[playbook.pk])}?node={part}"
    if not is_partial(request):
        messages.success(request, said)
        return redirect(request, f"{url}#node-form")
    focus = "" if request.POST.get("do") == "apply" else "form"
    answer = _answer(request, playbook, graph, part, focus=focus, told=said)
    return push_url(answer, url)


def _stale(request: HttpRequest, playbook: Playbook, error: CaseError) -> HttpResponse:
    """Somebody else was quicker: the draft as it is now, and what was typed in the form beside it."""
    playbook = drawable(request, playbook.pk)
    graph = graphs.draft_of(playbook)
    part = chosen_part(graph, request.POST.get("node", ""))
    more: dict[str, Any] = {}
    if "name" in request.POST or "do" in request.POST:
        more["form_graph"] = read(sent.apply(write(graph), part, request.POST))[0]
    return _answer(request, playbook, graph, part, problem=error.message, stale=True, status=409, **more)


@signed_in_reader
@require_POST
def playbook_publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the draft the version that runs; what is wrong with it stays marked on its nodes."""
    playbook = drawable(request, pk)
    part = request.POST.get("node", "")
    try:
        version = publishing.publish(Actor.of(person_of(request)), playbook, number=_draft(request))
    except Refused as error:
        graph = graphs.draft_of(playbook)
        text = _("It was not published. %s") % error.message
        return _answer(request, playbook, graph, chosen_part(graph, part), problem=text, status=422)
    except Conflict as error:
        return _stale(request, playbook, error)
    said = _("Version %d is published.") % version.number
    if not drawable(request, pk).enabled:
        said += " " + _("It starts nothing until you enable it.")
    graph, user = read(version.definition)[0], person_of(request)
    if powerless(graph, user) or unentitled(graph, user):
        said += " " + _("Some of its actions will not run by themselves: see the note.")
    return _done(request, playbook, part, said)


def _draft(request: HttpRequest) -> int:
    """The number of the draft that the person saw; one that is no number fits none."""
    text = request.POST.get("draft", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _answer(
    request: HttpRequest, playbook: Playbook, graph: Graph, part: str, *, status: int = 200, told: str = "", **more: Any
) -> HttpResponse:
    context: Context = context_of(request, playbook, graph, part, **more)
    if not is_partial(request):
        return render(request, TEMPLATE, context, status=400 if status == 422 else status)
    text = told or more.get("problem", "")
    return render_regions(request, TEMPLATE, ["builder"], context, extra=[live(text)] if text else (), status=status)
