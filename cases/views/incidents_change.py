"""Changes of an incident: status, its fields, its owners, notes."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Refused
from cases.permissions import incident_for
from cases.views.conflicts import changed_by, seen_by
from cases.views.incidents_answer import Done, ending_answer, verb
from cases.views.parts import person_of, signed_in_reader
from cases.views.timeline_parts import newest_summary, not_told

EDITABLE = ("title", "severity", "team", "tlp", "pap", "tags")
LISTS = ("tags",)


@signed_in_reader
@require_safe
def incident_ending(request: HttpRequest, number: str) -> HttpResponse:
    """The form that resolves or closes, as the incident is now; htmx shows it in the page's dialog."""
    incident = incident_for(person_of(request), number, level="close")
    return ending_answer(request, incident, chosen=request.GET.get("status", ""))


@verb("head")
def incident_status(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Move the incident on, end it with a determination, or reopen it."""
    given = request.POST
    incident = incidents.set_status(
        actor,
        number,
        given.get("status", ""),
        determination=given.get("determination") or None,
        findings=_findings(request),
        reason=given.get("reason", ""),
        resolve_alerts="resolve_alerts" in given,
        # Two endings differ in their reasons, even where both say the same.
        expected_version=seen_by(request, "status", strict="ending" in given),
    )
    return Done("head", _("%s: status saved") % incident.number + f": {_(str(IncidentStatus(incident.status).label))}")


@verb("details")
def incident_edit(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Change the fields that the form holds: title, severity, team, TLP, PAP, tags."""
    if not any(name in request.POST for name in EDITABLE):
        raise Refused(_("There is nothing to change."))
    changes: dict[str, Any] = {**changed_by(request, *EDITABLE)}
    for name in LISTS:
        if name in changes:
            changes[name] = [part for part in (piece.strip() for piece in changes[name].split(",")) if part]
    incident = incidents.update(actor, number, changes=changes, expected_version=seen_by(request, *EDITABLE))
    region = "head" if "severity" in request.POST else "details"
    return Done(region, _("%s saved") % incident.number)


@verb("summary")
def incident_summary(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Write the summary anew."""
    changes = {"summary": request.POST.get("summary", "")}
    incident = incidents.update(actor, number, changes=changes, expected_version=seen_by(request, "summary"))
    said, user = _("Summary of %s saved") % incident.number, person_of(request)
    return Done("summary", said, not_told(user, incident, incident.summary, newest_summary(incident)))


@verb("owners")
def incident_owners(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Add an owner, remove one, say who leads. All by user name; ``lead=`` empty means nobody."""
    given = request.POST
    more: dict[str, Any] = {"lead": given["lead"] or None} if "lead" in given else {}
    add = [name for name in given.getlist("add") if name]
    remove = [name for name in given.getlist("remove") if name]
    if not (add or remove or more):
        raise Refused(_("Choose somebody first."), field="add")
    incident = incidents.owners(actor, number, add=add, remove=remove, **more)
    return Done("owners", _("Owners of %s saved") % incident.number)


@verb("composer")
def incident_comment(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Write a note or a hand-over note."""
    given, user = request.POST, person_of(request)
    entry = incidents.comment(actor, number, given.get("text", ""), kind=given.get("kind", "comment"))
    return Done("composer", _("Note added"), not_told(user, incident_for(user, number), entry.text, entry))


def _findings(request: HttpRequest) -> str:
    """Asked only for benign: what was false, what was meant so (rulings 15)."""
    return request.POST.get("findings", "") if request.POST.get("determination") == "benign" else ""
