"""The page that merges incidents: search, preview, the merge; and the page that takes one back (casework.md 9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from cases.actions import merge, merge_undo
from cases.actors import Actor
from cases.choices import IncidentStatus, Severity
from cases.errors import CaseError, Forbidden, Missing
from cases.incident_filters import IncidentFilter
from cases.models import Incident
from cases.models.incident import OPEN
from cases.permissions import incident_for
from cases.restricted_views import note_rows
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions

MERGE, UNDO = "cases/incidents/merge.html", "cases/incidents/undo.html"
FOUND_AT_MOST = 15
Context = dict[str, Any]
FIELDS = {"severity": gettext_lazy("Severity"), "tlp": "TLP", "pap": "PAP"}


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_merge(request: HttpRequest, number: str) -> HttpResponse:
    """Find the others (``q``), look at what would happen (``with``, several), merge (POST of ``incidents``)."""
    user = person_of(request)
    incident = incident_for(user, number, level="edit")
    if request.method == "POST":
        return _merge(request, user, incident)
    context = _page(user, incident, request.GET.getlist("with"), request.GET.get("q", ""))
    if is_partial(request):
        return render_regions(request, MERGE, ["merging"], context)
    return render(request, MERGE, context)


def _merge(request: HttpRequest, user: User, incident: Incident) -> HttpResponse:
    chosen = request.POST.getlist("incidents")
    version = request.POST.get("version", "")
    try:
        expected = int(version) if version.isdecimal() and len(version) < 10 else None
        merge.merge(Actor.of(user), incident.pk, chosen, expected_version=expected)
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        fresh = incident_for(user, incident.pk)
        context = {**_page(user, fresh, chosen, ""), "problem": error.message}
        return render(request, MERGE, context, status=error.status if error.status in (409, 412) else 422)
    said = ngettext("%(n)s incident merged into this one", "%(n)s incidents merged into this one", len(chosen))
    messages.success(request, said % {"n": len(chosen)})
    return redirect("incident-detail", incident.number)


def _page(user: User, incident: Incident, chosen: Sequence[str], text: str) -> Context:
    """The search and the preview. What cannot be read or may not be merged is told beside the search."""
    problem, previews = "", []
    chosen = [one.strip()[:30] for one in chosen if one.strip()][: merge.MERGED_AT_MOST]
    if chosen:
        try:
            previews = merge.preview(Actor.of(user), incident.pk, chosen)
        except CaseError as error:
            problem = str(error.message)
    numbers = [one.source.number for one in previews]
    return {
        "incident": incident,
        "number": incident.number,
        "q": text.strip()[:200],
        "found": [_found(row, incident, numbers) for row in _search(user, incident, numbers, text.strip())],
        "previews": [_preview(one, incident, numbers) for one in previews],
        "numbers": numbers,
        "possible": bool(previews) and all(one.refusal is None for one in previews),
        "problem": problem,
    }


def _search(user: User, incident: Incident, chosen: list[str], text: str) -> list[Incident]:
    """Incidents that can be chosen: what matches the text, else the newest open ones."""
    rows: QuerySet[Incident] = Incident.objects.visible_to(user).filter(merged_at=None)
    rows = rows.exclude(pk__in=[incident.pk, *(int(number[4:]) for number in chosen)])
    rows = IncidentFilter.parse({"q": text}).apply(rows, user) if text else rows.filter(OPEN)
    shown = rows.only("title", "severity", "status", "alert_count", "created_at", "restricted").order_by("-pk")
    found = list(shown[:FOUND_AT_MOST])
    note_rows(user, found)
    return found


def _found(row: Incident, incident: Incident, chosen: list[str]) -> Context:
    return {
        "incident": row,
        "severity": Severity(row.severity),
        "status": IncidentStatus(row.status),
        "url": _address(incident, [*chosen, row.number]),
    }


def _preview(one: merge.Preview, incident: Incident, chosen: list[str]) -> Context:
    return {
        "source": one.source,
        "severity": Severity(one.source.severity),
        "status": IncidentStatus(one.source.status),
        "told": [(part.label, told) for part, told in one.told if part.name != "fields"],
        "raised": [
            (FIELDS[name], _word(name, getattr(incident, name)), _word(name, value))
            for name, value in one.raised.items()
        ],
        "sight": one.sight,
        "refusal": one.refusal.message if one.refusal else "",
        "without": _address(incident, [number for number in chosen if number != one.source.number]),
    }


def _word(name: str, value: Any) -> str:
    return _(str(Severity(value).label)) if name == "severity" else str(value).upper()


def _address(incident: Incident, chosen: Sequence[str]) -> str:
    """The page with these chosen."""
    url = reverse("incident-merge", args=[incident.number])
    return f"{url}?{urlencode([('with', number) for number in chosen])}" if chosen else url


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_undo(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """What taking a merge or split back would do, and doing it."""
    user = person_of(request)
    actor, incident = Actor.of(user), incident_for(user, number)
    move = merge_undo.move_for(user, incident, pk)
    problem = ""
    if request.method == "POST":
        try:
            done = merge_undo.undo(actor, incident.pk, move.pk)
        except (Missing, Forbidden):
            raise
        except CaseError as error:
            problem = error.message
        else:
            said = _("It is taken back.") if not done.left else _("It is taken back, but for what the timeline names.")
            messages.success(request, said)
            return redirect("incident-detail", incident.number)
    told = merge_undo.preview(actor, move)
    refusal = told.refusal.message if told.refusal else ""
    context = {"incident": incident, "number": incident.number, "move": move, "left": told.left, "refusal": refusal}
    return render(request, UNDO, context, status=409 if problem else 200)
