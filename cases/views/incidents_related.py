"""The box of related incidents: typed links, what was merged here, what can still be taken back (casework.md 6, 9)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import merge_undo, relations
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import CaseError, Forbidden, Missing
from cases.models import Incident, IncidentMove
from cases.permissions import incident_for
from cases.restricted_views import note_rows
from cases.views.incidents_parts import base
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions

TEMPLATE = "cases/incidents/related.html"
MOVES_SHOWN = 100  # several merges of twenty each
Context = dict[str, Any]


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_related(request: HttpRequest, number: str) -> HttpResponse:
    """The box, loaded after the page; POST adds a link."""
    user = person_of(request)
    # Who may is asked before what was typed is looked at.
    incident = incident_for(user, number, level="edit" if request.method == "POST" else "view")
    if request.method != "POST":
        return _answer(request, _box(user, incident))
    other, word = request.POST.get("incident", "").strip()[:30], request.POST.get("relation", "")
    try:
        made = relations.relate(Actor.of(user), incident.pk, other, word)
    except Missing:
        return _refused(request, user, incident, _("There is no incident %s.") % (other or "–"))
    except Forbidden:
        raise
    except CaseError as error:
        return _refused(request, user, incident, error.message)
    return _done(request, user, incident, _("Linked with %s") % made.other.number)


@signed_in_reader
@require_POST
def incident_related_remove(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """Take a link away, on both incidents."""
    user = person_of(request)
    incident = incident_for(user, number)
    try:
        relations.unrelate(Actor.of(user), incident.pk, pk)
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        return _refused(request, user, incident, error.message)
    return _done(request, user, incident, _("Link taken away"))


def _answer(request: HttpRequest, context: Context, said: str = "", status: int = 200) -> HttpResponse:
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["box"], context, extra=[live(said)] if said else [], status=status)
    return render(request, TEMPLATE, context, status=status)


def _done(request: HttpRequest, user: User, incident: Incident, said: str) -> HttpResponse:
    if is_partial(request):
        return _answer(request, _box(user, incident), said)
    messages.success(request, said)
    return redirect("incident-related", incident.number)


def _refused(request: HttpRequest, user: User, incident: Incident, text: str) -> HttpResponse:
    typed = {"incident": request.POST.get("incident", "")[:30], "relation": request.POST.get("relation", "")}
    return _answer(request, {**_box(user, incident), "problem": text, "typed": typed}, text, 422)


def _box(user: User, incident: Incident) -> Context:
    moves = list(merge_undo.moves_seen(user, incident).filter(undone_at=None)[:MOVES_SHOWN])
    related = relations.related_to(user, incident)
    note_rows(user, [*(one.other for one in related), *(end for one in moves for end in (one.source, one.target))])
    return {
        **base(user, incident),
        "related": [_line(one) for one in related],
        "moves": [_move(one, incident) for one in moves],
        "words": list(relations.LABELS.items()),
    }


def _line(one: relations.Related) -> Context:
    return {
        "pk": one.row.pk,
        "label": _(str(one.label)),
        "other": one.other,
        "severity": Severity(one.other.severity),
        "status": IncidentStatus(one.other.status),
    }


def _move(move: IncidentMove, incident: Incident) -> Context:
    """A merge or split as this incident tells it, with the other one."""
    here = move.source_id == incident.pk
    words = {
        ("merge", True): _("merged into"),
        ("merge", False): _("merged here"),
        ("split", True): _("split off this one"),
        ("split", False): _("split off"),
    }
    return {"move": move, "label": words[move.kind, here], "other": move.target if here else move.source}
