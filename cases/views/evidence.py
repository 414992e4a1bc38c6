"""Pages of evidence: the list of an incident, one piece, its file (casework.md 12)."""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.actions.evidence_access import evidence_for, note
from cases.actors import Actor
from cases.choices import IncidentStatus, Tlp
from cases.models import Evidence
from cases.permissions import holds, incident_for
from cases.views import evidence_parts
from cases.views.evidence_file import AS_ZIP, file_answer
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib import parts

DETAIL = "cases/evidence/detail.html"


@signed_in_reader
@require_safe
def evidence_list(request: HttpRequest, number: str) -> HttpResponse:
    """All pieces of an incident, removed ones too."""
    user = person_of(request)
    incident = incident_for(user, number)
    can_add = IncidentStatus(incident.status).is_open and holds(user, incident, "edit")
    rows = evidence_parts.lines(incident)
    context = {"incident": incident, "number": incident.number, "rows": rows, "can_add": can_add}
    return render(request, "cases/evidence/list.html", context)


@signed_in_reader
@require_safe
def evidence_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What a piece is, and who had it in hands. Looking at it is written down."""
    user = person_of(request)
    piece = evidence_for(user, pk)
    if request.method == "GET":
        note(Actor.of(user), piece, "viewed")
    return render(request, DETAIL, detail_context(user, piece))


@signed_in_reader
@require_safe
def evidence_file(request: HttpRequest, pk: int) -> HttpResponse:
    """The file, ``?as=zip``: in a zip with a password."""
    user = person_of(request)
    as_zip = request.GET.get("as") == AS_ZIP
    return cast(HttpResponse, file_answer(request, Actor.of(user), evidence_for(user, pk), as_zip=as_zip))


def detail_context(user: User, piece: Evidence) -> dict[str, Any]:
    """What the page of one piece needs."""
    changeable = not piece.is_removed and IncidentStatus(piece.incident.status).is_open
    can_edit = changeable and holds(user, piece.incident, "edit")
    return {
        "piece": piece,
        "number": piece.incident.number,
        "tlp": parts.tlp(piece.tlp),
        "tlps": Tlp.choices,
        "can_edit": can_edit,
        "can_remove": can_edit and (piece.added_by_id == user.pk or holds(user, piece.incident, "delete")),
        "ended": not IncidentStatus(piece.incident.status).is_open,
        "custody": evidence_parts.custody(user, piece),
        "elsewhere": evidence_parts.same_elsewhere(user, piece),
        "known": evidence_parts.known_as(piece, user),
        "form": {"name": piece.name, "description": piece.description, "tlp": piece.tlp},
    }
