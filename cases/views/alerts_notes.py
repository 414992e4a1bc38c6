"""Notes: writing one on an alert, and correcting one's own on any timeline."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases import timeline_read
from cases.actions import alerts, notes
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import TimelineEntry
from cases.permissions import alert_for, incident_for
from cases.views.alerts_answer import Done, verb
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, trigger

ENTRIES = "timeline/entries.html"
EDIT = "timeline/edit.html"


@verb("composer")
def alert_comment(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Write a note. An alert that has an incident is written about there (rulings 5)."""
    alerts.comment(actor, number, request.POST.get("text", ""))
    return Done("composer", _("Note added"))


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def entry_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Correct one's own note; the earlier wording stays under it."""
    user = person_of(request)
    entry, back = _note(user, pk)
    (view,) = timeline_read.views([entry])
    context: dict[str, Any] = {"entry": entry, "back": back, "text": view.text}
    if request.method != "POST":
        return _form(request, context)
    try:
        notes.edit_comment(Actor.of(user), pk, request.POST.get("text", ""))
    except Refused as error:
        return _form(request, {**context, "text": request.POST.get("text", ""), "problem": error.message}, 422)
    if not is_partial(request):
        return redirect(f"{back}#entry-{pk}")
    (view,) = timeline_read.views([entry])
    answer = render_regions(request, ENTRIES, ["entry"], {"view": view}, extra=[live(_("Note corrected"))])
    answer["HX-Retarget"], answer["HX-Reswap"] = f"#entry-{pk}", "outerHTML"
    return trigger(answer, "dialog-close")


def _note(user: User, pk: int) -> tuple[TimelineEntry, str]:
    """The person's own note and the page it stands on. Raises Missing or Forbidden."""
    kinds = ("comment", "handoff")
    entry = TimelineEntry.objects.filter(pk=pk, kind__in=kinds).first() if pk < 2**63 else None
    if entry is None:
        raise Missing("There is no such note.")
    if entry.alert_id:
        back = f"/alerts/{alert_for(user, entry.alert_id).number}/"
    else:
        back = f"/incidents/{incident_for(user, entry.incident_id or 0).number}/"
    if (entry.actor_type, entry.actor_id) != ("user", user.pk):
        raise Forbidden("Only the writer of a note can correct it.")
    return entry, back


def _form(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if not is_partial(request):
        return render(request, EDIT, context, status=status)
    return render_regions(request, EDIT, ["form"], context, status=status)
