"""What people do to a timeline besides writing notes: pins, letting in who is mentioned, previews, whom to mention."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases import timeline_read
from cases.actions import mentions, pins
from cases.actions.base import TEXT_AT_MOST
from cases.actions.naming import known, slug_of
from cases.actors import Actor
from cases.errors import Missing, Refused
from cases.models import Alert, Incident
from cases.permissions import alert_for, incident_for
from cases.timeline_places import pinned_of
from cases.views import alerts_answer, incidents_answer, timeline_parts
from cases.views.incidents_answer import Done, verb
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import Team
from soar.lib.hidden import shown
from soar.lib.htmx import is_partial, live, render_regions, trigger

PEOPLE_OFFERED, TEAMS_OFFERED = 8, 3
PIECES = "timeline/pieces.html"
Subject = Alert | Incident


@signed_in_reader
@require_POST
def incident_pin(request: HttpRequest, number: str) -> HttpResponse:
    """Pin or unpin (``un``) an entry of the joined stream."""
    return _pin(request, incident_for(person_of(request), number, level="edit"))


@signed_in_reader
@require_POST
def alert_pin(request: HttpRequest, number: str) -> HttpResponse:
    """Pin or unpin (``un``) an entry of the alert."""
    return _pin(request, alert_for(person_of(request), number, work=True))


@verb("blind")
def incident_let_in(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Let in somebody who is named in an entry and does not see the incident, and tell them."""
    user, entry = person_of(request), timeline_parts.number_of(request.POST.get("entry", ""))
    if not incident_for(user, number, level="manage").timeline.filter(pk=entry).exists():
        raise Missing(_("There is no such entry in this timeline."))
    made = mentions.let_in(actor, entry, request.POST.get("user", ""))
    more = timeline_parts.not_told_of(user, incident_for(user, number), entry)
    return Done("blind", _("%s can see it now and was told") % made.data["user"], more)


@signed_in_reader
@require_POST
def incident_preview(request: HttpRequest, number: str) -> HttpResponse:
    """How a note would read, and who would not be told."""
    return _preview(request, incident_for(person_of(request), number, level="comment"))


@signed_in_reader
@require_POST
def alert_preview(request: HttpRequest, number: str) -> HttpResponse:
    """How a note would read."""
    return _preview(request, alert_for(person_of(request), number, work=True))


@signed_in_reader
@require_safe
def incident_people(request: HttpRequest, number: str) -> HttpResponse:
    """Whom the words behind an ``@`` may mean."""
    return _people(request, incident_for(person_of(request), number, level="comment"))


@signed_in_reader
@require_safe
def alert_people(request: HttpRequest, number: str) -> HttpResponse:
    """Whom the words behind an ``@`` may mean."""
    return _people(request, alert_for(person_of(request), number, work=True))


def _rows(subject: Subject) -> timeline_parts.Rows:
    if isinstance(subject, Alert):
        return timeline_read.entries_of_alert(subject)
    return timeline_read.entries_of_incident(subject)


def _base(request: HttpRequest, subject: Subject) -> timeline_parts.Context:
    kind = "alert" if isinstance(subject, Alert) else "incident"
    joined = isinstance(subject, Incident)
    return {**timeline_parts.addresses(kind, subject.number), "joined": joined, "can_pin": True, "user": request.user}


def _pin(request: HttpRequest, subject: Subject) -> HttpResponse:
    actor, wanted = Actor.of(person_of(request)), timeline_parts.number_of(request.POST.get("entry", ""))
    rows = _rows(subject)
    if not rows.filter(pk=wanted).exists():
        raise Missing(_("There is no such entry in this timeline."))
    un = "un" in request.POST
    context = _base(request, subject)
    try:
        (pins.unpin if un else pins.pin)(actor, wanted)
    except Refused as error:
        if not is_partial(request):
            messages.error(request, error.message)
            return redirect(f"{context['to']['page']}?entry={wanted}#entry-{wanted}")
        context |= {**timeline_parts.pins(rows), "pin_problem": error.message}
        return render_regions(request, PIECES, ["pins"], context, extra=[live(error.message)], status=422)
    said = _("Unpinned") if un else _("Pinned")
    if not is_partial(request):
        messages.success(request, said)
        return redirect(f"{context['to']['page']}?entry={wanted}#entry-{wanted}")
    context |= timeline_parts.shown_pins(pinned_of(rows))
    (view,) = timeline_read.views(rows.filter(pk=wanted))
    entry = render_to_string("timeline/entries.html#entry", {**context, "view": view, "oob": True}, request)
    answer = render_regions(request, PIECES, ["pins"], context, extra=[entry, live(said)])
    return trigger(answer, "changed")


def _preview(request: HttpRequest, subject: Subject) -> HttpResponse:
    user, text = person_of(request), request.POST.get("text", "")[:TEXT_AT_MOST]
    named = mentions.read(Actor.of(user), subject, text)
    told = {"preview": shown(text.replace("\x00", "")), "named": named.shown, "previewed": True}
    told |= timeline_parts.not_told(user, subject, text, None)
    if is_partial(request):
        return render_regions(request, PIECES, ["preview"], told)
    typed = {"problem": {"form": "composer", "typed": request.POST.dict(), "preview": True}}
    if isinstance(subject, Alert):
        page, context = alerts_answer.TEMPLATE, alerts_answer.page_context(user, subject, request)
    else:
        page, context = incidents_answer.TEMPLATE, incidents_answer.page_context(user, subject, request)
    return render(request, page, {**context, **told, **typed})


def _people(request: HttpRequest, subject: Subject) -> HttpResponse:
    """People by the beginning of their user name or of one of their names, and teams; who cannot see the subject is
    marked, for they would not be told."""
    if not is_partial(request):
        return redirect(_base(request, subject)["to"]["page"])
    begins = request.GET.get("q", "").replace("\x00", "")[:150]
    named = Q(username__istartswith=begins) | Q(first_name__istartswith=begins) | Q(last_name__istartswith=begins)
    people = list(known().filter(named).order_by("first_name", "username")[:PEOPLE_OFFERED])
    seeing = mentions.who_sees(subject, [one.pk for one in people])
    teams = [(slug_of(one.name), one) for one in Team.objects.filter(name__istartswith=begins.replace("-", " "))]
    context = {
        "people": [(one, one.pk in seeing) for one in people],
        "teams": [(name, one) for name, one in teams if name][:TEAMS_OFFERED],
        "number": subject.number,
    }
    return render_regions(request, PIECES, ["people"], context)
