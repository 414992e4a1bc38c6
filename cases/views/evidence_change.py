"""Verbs of evidence: upload, describe, remove."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from cases import evidence_store
from cases.actions import evidence
from cases.actions.evidence_access import evidence_for, open_incident_for
from cases.actors import Actor
from cases.choices import Tlp
from cases.errors import CaseError, Conflict, Forbidden, Missing
from cases.evidence_upload import Upload, uploading
from cases.models import Evidence, Incident
from cases.permissions import incident_for
from cases.views.evidence import DETAIL, detail_context
from cases.views.incidents_answer import TEMPLATE, region_context
from cases.views.parts import person_of, signed_in_reader
from soar.lib.htmx import is_partial, live, render_regions, trigger

FORM = "cases/evidence/add.html"
AT_ONCE = 10  # files of one form


# The token is checked in _taken: checking it reads the form, and that must not happen before the upload is set up.
@csrf_exempt
@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def evidence_add(request: HttpRequest, number: str) -> HttpResponse:
    """The form, in the page's dialog for htmx, and what it sends."""
    user = person_of(request)
    if request.method != "POST":
        return _form(request, open_incident_for(user, number))
    try:
        with uploading(request, lambda: open_incident_for(user, number), AT_ONCE) as upload:
            answer: HttpResponse = _taken(request, number, upload)
            return answer
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        return _form(request, incident_for(user, number, level="edit"), error)


@signed_in_reader
@require_POST
def evidence_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, description, TLP."""
    changes = {name: request.POST[name].replace("\r\n", "\n") for name in _FIELDS if name in request.POST}
    return _changed(request, pk, "edit", lambda actor, version: evidence.update(
        actor, pk, changes=changes, expected_version=version))  # fmt: skip


@signed_in_reader
@require_POST
def evidence_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave the tombstone only."""
    reason = request.POST.get("reason", "")
    return _changed(request, pk, "remove", lambda actor, version: evidence.remove(
        actor, pk, reason=reason, expected_version=version))  # fmt: skip


_FIELDS = ("name", "description", "tlp")


@csrf_protect
def _taken(request: HttpRequest, number: str, upload: Upload) -> HttpResponse:
    """Keep the files; the box anew for htmx, the list for everybody else."""
    files = upload.files()
    given = request.POST
    about = {"description": given.get("description", "").replace("\r\n", "\n"), "tlp": given.get("tlp", "")}
    made = evidence.add(Actor.of(person_of(request)), number, files, **about)
    incident = made[0].incident
    said = ngettext("%(n)s file added: %(name)s", "%(n)s files added: %(name)s", len(made))
    said %= {"n": len(made), "name": ", ".join(piece.name for piece in made)}
    if not is_partial(request):
        messages.success(request, said)
        return redirect(reverse("incident-detail", args=[incident.number]) + "#incident-evidence")
    context = region_context(person_of(request), incident, ["evidence"])
    answer = render_regions(request, TEMPLATE, ["evidence"], context, extra=[live(said)])
    answer["HX-Retarget"], answer["HX-Reswap"] = "#incident-evidence", "outerHTML"
    return trigger(answer, "changed", "dialog-close")


def _form(request: HttpRequest, incident: Incident, error: CaseError | None = None) -> HttpResponse:
    typed = request.POST if error else {}
    context: dict[str, Any] = {
        "incident": incident,
        "number": incident.number,
        "problem": error.message if error else "",
        "url": error.extra.get("url", "") if isinstance(error, Conflict) else "",
        "tlps": Tlp.choices,
        "tlp": typed.get("tlp", incident.tlp),
        "description": typed.get("description", ""),
        "most": AT_ONCE,
        "bytes": evidence_store.limit(),
        "mib": evidence_store.limit() // (1024 * 1024),
    }
    status = 200 if error is None else 409 if error.status == 409 else 422
    if not is_partial(request):
        return render(request, FORM, context, status=status)
    answer = render_regions(request, FORM, ["form"], context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _changed(request: HttpRequest, pk: int, form: str, act: Any) -> HttpResponse:
    user = person_of(request)
    try:
        piece: Evidence = act(Actor.of(user), _version(request))
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        piece = evidence_for(user, pk)
        context = detail_context(user, piece)
        context["problem"] = {"form": form, "field": error.field or "", "text": error.message}
        if form == "edit":
            context["form"] |= {name: request.POST[name] for name in _FIELDS if name in request.POST}
        return render(request, DETAIL, context, status=error.status if error.status in (409, 412) else 422)
    messages.success(request, _("Removed") if form == "remove" else _("Saved"))
    return redirect("evidence-detail", piece.pk)


def _version(request: HttpRequest) -> int | None:
    value = request.POST.get("version", "")
    return int(value) if value.isdecimal() and len(value) < 10 else None
