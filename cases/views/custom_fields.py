"""Custom fields of incidents under the settings, for those who manage them (casework.md 6, access.md 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import custom_fields
from cases.actions.custom_field_checks import templates_with, used_on
from cases.actors import Actor
from cases.custom_fields.kinds import KINDS
from cases.errors import CaseError, Conflict, Missing, Refused, Stale
from cases.models import CustomField
from cases.views.custom_field_form import CustomFieldForm
from cases.views.parts import needs, person_of
from soar.lib import parts

manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


@reads
@require_safe
def custom_field_list(request: HttpRequest) -> HttpResponse:
    """All fields in their order, retired ones at the end."""
    found = CustomField.objects.prefetch_related("templates")
    rows = sorted((_row(field) for field in found), key=lambda row: row["field"].retired_at is not None)
    return render(request, "cases/custom_fields/list.html", {"rows": rows})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def custom_field_create(request: HttpRequest) -> HttpResponse:
    """The form of a new one."""
    form = CustomFieldForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            field = custom_fields.create(Actor.of(person_of(request)), fields=form.for_action())
        except CaseError as error:
            _beside(form, error)
        else:
            messages.success(request, _("%s is asked for from now on.") % field.name)
            return redirect("custom-field-list")
    return _page(request, form)


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def custom_field_edit(request: HttpRequest, key: str) -> HttpResponse:
    """The form of one that is there, with where it has values."""
    field = custom_fields.field_for(key)
    form = CustomFieldForm(request.POST if request.method == "POST" else None, field)
    if request.method == "POST" and form.is_valid():
        try:
            saved = custom_fields.update(
                Actor.of(person_of(request)), key, changes=form.for_action(), expected_version=_version(request)
            )
        except (Refused, Conflict, Stale) as error:
            _beside(form, error)
            return _page(request, form, custom_fields.field_for(key), error)
        messages.success(request, _("%s saved") % saved.name)
        return redirect("custom-field-list")
    return _page(request, form, field)


@manages
@require_POST
def custom_field_verb(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Move it up or down, retire or restore it, or delete one without values."""
    if verb not in _DO:
        raise Missing(f"There is no {verb!s:.40} of a field.")
    actor, field = Actor.of(person_of(request)), custom_fields.field_for(key)
    try:
        said = _DO[verb](actor, field)
    except (Refused, Conflict, Stale) as error:
        messages.error(request, error.message)
        return redirect("custom-field-edit", key)
    if said:
        messages.success(request, said)
    return redirect("custom-field-list")


def _up(actor: Actor, field: CustomField) -> str:
    custom_fields.move(actor, field.key, _place(field) - 1)
    return ""


def _down(actor: Actor, field: CustomField) -> str:
    custom_fields.move(actor, field.key, _place(field) + 1)
    return ""


def _place(field: CustomField) -> int:
    """Its place in the list, counted from 1."""
    return list(CustomField.objects.values_list("pk", flat=True)).index(field.pk) + 1


def _retire(actor: Actor, field: CustomField) -> str:
    custom_fields.retire(actor, field.key)
    return _("%s is asked for no more. Its values stay.") % field.name


def _restore(actor: Actor, field: CustomField) -> str:
    custom_fields.restore(actor, field.key)
    return _("%s is asked for again.") % field.name


def _delete(actor: Actor, field: CustomField) -> str:
    custom_fields.delete(actor, field.key)
    return _("%s deleted") % field.name


_DO = {"up": _up, "down": _down, "retire": _retire, "restore": _restore, "delete": _delete}


def _version(request: HttpRequest) -> int | None:
    version = request.POST.get("version", "")
    return int(version) if version.isdecimal() and len(version) < 10 else None


def _page(
    request: HttpRequest, form: CustomFieldForm, field: CustomField | None = None, error: CaseError | None = None
) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "field": field, "stale": isinstance(error, Stale)}
    if field is not None:
        seen, others = used_on(field, person_of(request))
        context |= {"used": seen, "used_hidden": others, "templates": templates_with(field)}
    status = error.status if isinstance(error, Stale | Conflict) else 422 if form.errors else 200
    return render(request, "cases/custom_fields/form.html", context, status=status)


def _beside(form: CustomFieldForm, error: CaseError) -> None:
    form.add_error(error.field if error.field in form.fields else None, error.message)


def _row(field: CustomField) -> dict[str, Any]:
    return {
        "field": field,
        "kind": KINDS[field.kind].label,
        "templates": [template.name for template in field.templates.all()],
        "changed": parts.ago(field.updated_at),
    }
