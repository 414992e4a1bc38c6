"""Custom fields of incidents under the settings, for those who manage them (casework.md 6, access.md 8)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
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
from soar.accounts.membership import may
from soar.lib import parts
from soar.lib.keyset import Order
from soar.lib.paging import asked, paged

IN_PLACE = Order("place", ("position", "id"), descending=False)
LONGEST_BACK = 1000
manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


@reads
@require_safe
def custom_field_list(request: HttpRequest) -> HttpResponse:
    """Fields in their order; ``?retired=1`` those that are asked for no more. ``?q=`` is in the name or the key."""
    text, retired = asked(request.GET), bool(request.GET.get("retired"))
    found = CustomField.objects.prefetch_related("templates").filter(retired_at__isnull=not retired)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(key__icontains=text))
    page = paged(request, found, IN_PLACE, keep={"q": text, "retired": "1" if retired else ""})
    numbers = CustomField.objects.aggregate(used=Count("pk", Q(retired_at=None)), retired=Count("retired_at"))
    context = {"rows": [_row(one) for one in page.rows], "page": page, "q": text, "retired": retired, **{
        "numbers": numbers, "moves": not text and not retired and may(person_of(request), "manage_settings"),
    }}  # fmt: skip
    return render(request, "cases/custom_fields/list.html", context)


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
        raise Missing(_("There is no %(verb)s of a field.") % {"verb": f"{verb!s:.40}"})
    actor, field = Actor.of(person_of(request)), custom_fields.field_for(key)
    try:
        said = _DO[verb](actor, field)
    except (Refused, Conflict, Stale) as error:
        messages.error(request, error.message)
        return redirect("custom-field-edit", key)
    if said:
        messages.success(request, said)
    back = request.POST.get("back", "")[:LONGEST_BACK] if verb in ("up", "down") else ""
    return redirect(f"{reverse('custom-field-list')}{f'?{back}' if back else ''}")


def _up(actor: Actor, field: CustomField) -> str:
    custom_fields.move(actor, field.key, max((one for one in _places(field) if one < 0), default=0) + _place(field))
    return ""


def _down(actor: Actor, field: CustomField) -> str:
    custom_fields.move(actor, field.key, min((one for one in _places(field) if one > 0), default=0) + _place(field))
    return ""


def _place(field: CustomField) -> int:
    """Its place among all fields, counted from 1."""
    return list(CustomField.objects.values_list("pk", flat=True)).index(field.pk) + 1


def _places(field: CustomField) -> list[int]:
    """How far from it the fields stand that the list shows with it: retired ones between them are passed over."""
    rows = list(CustomField.objects.values_list("pk", "retired_at"))
    here = next(number for number, (pk, _retired) in enumerate(rows) if pk == field.pk)
    return [number - here for number, (_pk, retired) in enumerate(rows) if retired is None]


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
