"""The hand-over from shift to shift (casework.md 17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import handovers
from cases.dashboard import shift
from cases.errors import Conflict, Missing, Refused
from cases.grants import grants_of
from cases.models import HandOver, Incident, TimelineEntry
from cases.query_text import written
from cases.restricted_views import note_restricted, note_rows, told_of
from cases.timeline_read import EntryView, tell_all
from cases.views.dashboard import readable_teams
from cases.views.parts import person_of, signed_in_reader
from cases.views.sla_parts import cell
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib.columns import PERSON, beside

BEFORE = 10
PEOPLE = {"signed_by": PERSON, "taken_by": PERSON}
Context = dict[str, Any]
# Of each list that is kept with a hand-over what it is called, and what is said where it is empty.
LABELS = {
    "opened": (gettext_lazy("Opened"), gettext_lazy("No incident was opened.")),
    "ended": (gettext_lazy("Ended"), gettext_lazy("No incident was resolved or closed.")),
    "changed": (gettext_lazy("Changed"), gettext_lazy("No older incident was changed.")),
    "open": (gettext_lazy("Left open"), gettext_lazy("No incident was open.")),
}


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def hand_over(request: HttpRequest) -> HttpResponse:
    """The shift that goes on, for one team or all; POST signs it over, what was typed stays when that is refused."""
    user = person_of(request)
    team = _team(user, request.POST.get("team") or request.GET.get("team", ""))
    problem = {}
    if request.method == "POST":
        try:
            row = handovers.sign(user, request.POST.get("note", ""), team=team, seen=_number(request.POST.get("seen")))
            messages.success(request, _("The shift is signed over."))
            return redirect("hand-over-page", pk=row.pk)
        except (Refused, Conflict) as error:
            problem = {"text": error.message, "note": request.POST.get("note", "")}
    return render(request, "cases/handover.html", _context(user, team, problem), status=400 if problem else 200)


@signed_in_reader
@require_safe
def hand_over_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One that was signed: its note, and what it was about as far as the reader may see it."""
    user = person_of(request)
    row = _found(user, pk)
    named = sorted({pk for name in LABELS for pk in row.facts.get(name, [])})
    rows = Incident.objects.visible_to(user).filter(pk__in=named).only(*shift.SHOWN)
    known = {one.pk: one for one in rows}
    lists = [_kept(request, row, name, [known[pk] for pk in row.facts.get(name, []) if pk in known]) for name in LABELS]
    entries = TimelineEntry.objects.filter(pk__in=row.facts.get("told", []), incident__in=known)
    told = _kept(request, row, "told", list(entries.select_related("incident").order_by("-pk")))
    tell_all(user, told["rows"])
    note_rows(user, [*(one for kept in lists for one in kept["rows"]), *(entry.incident for entry in told["rows"])])
    mine = row.taken_by_id is None and row.signed_by_id != user.pk and may(user, "work_cases")
    context = {
        "row": row, "lists": lists, "told": told, "may_take": mine, "counted": shift.may_read_figures(user, row),
        "told_cut": "told" in row.facts.get("cut", []), "looked_at": shift.LOOKED_AT, "told_most": shift.TOLD_AT_MOST,
    }  # fmt: skip
    return render(request, "cases/handover_page.html", context)


def _kept(request: HttpRequest, row: HandOver, name: str, found: list[Any]) -> Context:
    """One of its lists, as far as the reader may see it: the first of them, or from the place that is asked for."""
    asked = request.GET.get("list") == name
    begin = min(_number(request.GET.get("from")) or 0, max(len(found) - 1, 0)) if asked else 0
    end, page = begin + shift.AT_MOST, reverse("hand-over-page", args=[row.pk])
    shown, back = found[begin:end], max(begin - shift.AT_MOST, 0)
    label, empty = LABELS.get(name, ("", ""))
    return {
        "name": name,
        "label": label,
        "empty": empty,
        "rows": shown,
        "figure": _of(len(shown), len(found), name in row.facts.get("cut", [])),
        "older_url": f"{page}?list={name}&from={end}#{name}" if end < len(found) else "",
        "newer_url": f"{page}?list={name}&from={back}#{name}" if begin else "",
    }


def _of(shown: int, number: int, more: bool = False) -> str:
    """``50 of 60``, or the number alone where all are shown."""
    words = f"{number:,}" + ("+" if more else "")
    return words if shown == number and not more else _("%(shown)s of %(number)s") % {"shown": shown, "number": words}


@signed_in_reader
@require_POST
def hand_over_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it over."""
    user = person_of(request)
    try:
        handovers.take(user, pk)
        messages.success(request, _("You have taken the shift over."))
    except Missing as error:
        raise Http404(error.message) from error
    except (Refused, Conflict) as error:
        messages.error(request, error.message)
    return redirect("hand-over-page", pk=pk)


def _found(user: User, pk: int) -> HandOver:
    try:
        return handovers.hand_over_for(user, pk)
    except Missing as error:
        raise Http404(error.message) from error


def _context(user: User, team: Team | None, problem: dict[str, str]) -> Context:
    grants_of(user)  # their teams come with it, and all that follows asks for both
    past = list(beside(HandOver.objects.visible_to(user).filter(team=team), **PEOPLE).order_by("-pk")[:BEFORE])
    before = past[0] if past else None
    moment, now = shift.since(before), timezone.now()
    changed, due, waiting = shift.changed(user, moment, team), shift.due_next(user, team), shift.waiting(user, team)
    tell_all(user, changed.told)
    figures = _figures(changed, len(due))
    _note(
        user,
        [*changed.opened, *changed.ended, *due, *(one.incident for one in changed.told if one.incident)],
        changed.notes,
        waiting,
    )
    return {
        "team": team,
        "teams": [(str(_("Everybody")), reverse("hand-over"), team is None)]
        + [(one.name, f"{reverse('hand-over')}?team={one.pk}", one == team) for one in readable_teams(user)[:30]],
        "before": before,
        "since": moment,
        "changed": changed,
        "figures": figures,
        "urls": _urls(moment, team),
        "told_most": shift.AT_MOST,
        "looked_at": shift.LOOKED_AT if changed.counts.get("going_on", 0) > shift.LOOKED_AT else 0,
        "due": [(row, cell(row, now)) for row in due],
        "waiting": waiting,
        "past": past,
        "may_sign": may(user, "work_cases"),
        "problem": problem,
    }


def _figures(changed: shift.Changed, due: int) -> dict[str, str]:
    """Beside each list how many there are, and how many of them are shown."""
    lists = {"opened": len(changed.opened), "ended": len(changed.ended), "notes": len(changed.notes), "due": due}
    known = {name: min(number, shift.COUNTED) for name, number in changed.counts.items()}
    over = {name for name, number in changed.counts.items() if number > shift.COUNTED}
    alone = {name: f"{number:,}" + "+" * (name in over) for name, number in known.items()}
    return {**alone, **{name: _of(shown, known[name], name in over) for name, shown in lists.items()}}


def _urls(moment: datetime, team: Team | None) -> dict[str, str]:
    """The lists of incidents that hold all of what the page shows the first of."""
    of_team, since = ({"team": written([team.name])} if team else {}), moment.isoformat()
    asked = {
        "opened": {"status": "any", "opened": since, "merged": "no"},
        "ended": {"status": "any", "ended": since},
        "going_on": {"updated_since": since, "opened": f"..{since}", "merged": "no", "sort": "changed"},
        "due": {"sort": "due"},
    }
    return {name: f"{reverse('incident-list')}?{urlencode({**query, **of_team})}" for name, query in asked.items()}


def _note(user: User, rows: list[Incident], notes: list[EntryView], waiting: list[shift.Waiting]) -> None:
    """That the person read of what is restricted among these."""
    told = [told_of(row) for row in (*rows, *(one.entry.incident for one in notes))]
    note_restricted(user, [*told, *(one.item.restricted for one in waiting)])


def _team(user: User, text: str) -> Team | None:
    number = _number(text)
    found: Team | None = readable_teams(user).filter(pk=number).first() if number else None
    return found


def _number(text: str | None) -> int | None:
    known = bool(text) and str(text).isascii() and str(text).isdigit() and len(str(text)) < 18
    return int(str(text)) if known else None
