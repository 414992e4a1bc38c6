"""Verbs of response playbooks beside drawing: new, copied, deleted, put away, brought back, an old version restored."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Refused
from playbooks import script_pins
from playbooks.actions import graph_files, graphs
from playbooks.builder.fields import from_lines
from playbooks.selectors import playbook_with_id
from playbooks.views.parts import person_of, signed_in_reader
from soar.lib.htmx import redirect


@signed_in_reader
@require_POST
def playbook_create(request: HttpRequest) -> HttpResponse:
    """A new response playbook: empty, or from a ``template``; then its builder."""
    actor = Actor.of(person_of(request))
    name, template = request.POST.get("name", "").strip(), request.POST.get("template", "")
    try:
        if template:
            tell = from_lines(request.POST.get("tell", ""), commas=True)
            made = graph_files.from_template(actor, template, name=name, tell=tell)
        else:
            made = graphs.create_blank(actor, name or graphs.free_name(_("New playbook")))
    except Refused as error:
        messages.error(request, error.message)
        return redirect(request, reverse("playbook-templates"))
    return redirect(request, reverse("playbook-edit", args=[made.pk]))


@signed_in_reader
@require_POST
def playbook_duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    """A copy under another name; then its builder."""
    made = graphs.duplicate(Actor.of(person_of(request)), playbook_with_id(pk))
    messages.success(request, _("%s is a copy, switched off.") % made.name)
    return redirect(request, reverse("playbook-edit", args=[made.pk]))


@signed_in_reader
@require_POST
def playbook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove one that never ran; one that did is kept, and it is said how to put it away."""
    row = playbook_with_id(pk)
    try:
        graphs.delete(Actor.of(person_of(request)), row)
    except Conflict as error:
        return _back(request, pk, error)
    messages.success(request, _("%s is deleted.") % row.name)
    return redirect(request, reverse("playbook-list"))


@signed_in_reader
@require_POST
def playbook_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Put it away."""
    row = graphs.archive(Actor.of(person_of(request)), playbook_with_id(pk))
    messages.success(request, _("%s is put away: it starts nothing. Its runs and versions are kept.") % row.name)
    return redirect(request, reverse("playbook-list"))


@signed_in_reader
@require_POST
def playbook_unarchive(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring it back, switched off."""
    row = graphs.unarchive(Actor.of(person_of(request)), playbook_with_id(pk))
    messages.success(request, _("%s is back in the list, switched off.") % row.name)
    return redirect(request, reverse("playbook-detail", args=[pk]))


@signed_in_reader
@require_POST
def playbook_restore(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Make an old version the draft; then the builder, where it is published."""
    row = playbook_with_id(pk)
    try:
        graphs.restore(Actor.of(person_of(request)), row, number)
    except (Conflict, Refused) as error:
        return _back(request, pk, error)
    messages.success(request, _("The draft is version %d again. It runs once you publish it.") % number)
    if changed := script_pins.changed(row.versions.filter(number=number).first()):
        text = _(
            "Published now, it brings these scripts as they are now, not as they were in version %(n)d: %(names)s."
        )
        messages.warning(request, text % {"n": number, "names": ", ".join(changed)})
    return redirect(request, reverse("playbook-edit", args=[pk]))


def _back(request: HttpRequest, pk: int, error: CaseError) -> HttpResponse:
    messages.error(request, error.message)
    return redirect(request, reverse("playbook-detail", args=[pk]))
