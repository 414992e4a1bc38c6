"""Notes: writing one on an alert, and correcting one's own on any timeline."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import timeline_read
from cases.actions import alerts, notes
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Alert, Incident, TimelineEntry
from cases.permissions import alert_for, holds, incident_for
from cases.timeline_kinds import CORRECTABLE
from cases.views.alerts_answer import Done, verb
from cases.views.parts import person_of, signed_in_reader
from cases.views.task_parts import exact_text
from cases.views.timeline_parts import addresses, not_told, not_told_words
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, toast, trigger

ENTRIES = "timeline/entries.html"
EDIT = "timeline/edit.html"


@verb("composer")
def alert_comment(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Write a note. An alert that has an incident is written about there (rulings 5)."""
    user = person_of(request)
    entry = alerts.comment(actor, number, request.POST.get("text", ""))
    return Done("composer", _("Note added"), not_told(user, alert_for(user, number), entry.text, None))


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def entry_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct one's own note or event, of this its time as well; what was before stays under it."""
    user = person_of(request)
    entry, subject = _note(user, pk)
    (view,) = timeline_read.views([entry])
    back = _page_of(subject)
    at = exact_text(view.happened_at)
    context: dict[str, Any] = {"entry": entry, "back": back, "people_url": f"{back}people/", "text": view.text}
    context |= {"occurred_at": at}
    if request.method != "POST":
        return _form(request, context)
    text, given = request.POST.get("text", ""), request.POST.get("occurred_at", at)
    try:
        # The field has no fractions of a second: what was not touched is as it was.
        made = notes.edit_comment(Actor.of(user), pk, text, occurred_at=None if given == at else given)
    except Refused as error:
        problem = {"field": "occurred_at" if error.field == "occurred_at" else "text", "text": error.message}
        return _form(request, {**context, "text": text, "occurred_at": given, "problem": problem}, 422)
    untold = not_told_words(not_told(user, subject, made.text, None), subject.number)
    return _corrected(request, entry, subject, untold)


def _corrected(request: HttpRequest, entry: TimelineEntry, subject: Alert | Incident, untold: str) -> HttpResponse:
    """The entry as it reads now, in its place."""
    if not is_partial(request):
        if untold:
            messages.warning(request, untold)
        return redirect(f"{_page_of(subject)}#entry-{entry.pk}")
    (view,) = timeline_read.views([entry])
    extra = [live(_("Note corrected")), *([toast(untold, "amber")] if untold else [])]
    can_pin = isinstance(subject, Alert) or holds(person_of(request), subject, "edit")
    pinned = {entry.pk} if hasattr(entry, "pin") else set()
    where = addresses("alert" if isinstance(subject, Alert) else "incident", subject.number)
    context = {"view": view, **where, "can_pin": can_pin, "pinned": pinned}
    answer = render_regions(request, ENTRIES, ["entry"], context, extra=extra)
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#entry-{entry.pk}", "outerHTML"
    return trigger(answer, "dialog-close")


def _note(user: User, pk: int) -> tuple[TimelineEntry, Alert | Incident]:
    """The person's own note or event and what it stands on. Raises Missing or Forbidden."""
    entry = TimelineEntry.objects.filter(pk=pk, kind__in=CORRECTABLE).first() if pk < 2**63 else None
    if entry is None:
        raise Missing(_("There is no such note."))
    subject = alert_for(user, entry.alert_id) if entry.alert_id else incident_for(user, entry.incident_id or 0)
    if (entry.actor_type, entry.actor_id) != ("user", user.pk):
        raise Forbidden(_("Only the writer of a note can correct it."))
    return entry, subject


def _page_of(subject: Alert | Incident) -> str:
    return f"/alerts/{subject.number}/" if isinstance(subject, Alert) else f"/incidents/{subject.number}/"


def _form(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if not is_partial(request):
        return render(request, EDIT, context, status=status)
    return render_regions(request, EDIT, ["form"], context, status=status)
