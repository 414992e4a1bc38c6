"""Verbs of assets: enter one, edit it, take it out of the inventory, import a file, put one on an incident."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from cases.actions import asset_import, asset_links, assets
from cases.actors import Actor
from cases.asset_access import asset_for
from cases.asset_csv import BYTES_AT_MOST
from cases.asset_forms import AssetForm, FileForm, initial_of
from cases.errors import CaseError, Refused, Stale
from cases.models import Asset
from cases.views import asset_parts
from cases.views.incidents_answer import Done, verb
from cases.views.parts import needs, person_of

FORM = "cases/assets/form.html"
IMPORT = "cases/assets/import.html"
LISTED = 100  # assets and problems that a preview names


@needs("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def asset_new(request: HttpRequest) -> HttpResponse:
    """The form; a good one leads to the new asset, a bad one keeps what was typed."""
    form = AssetForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            asset = assets.create(Actor.of(person_of(request)), fields=form.for_action())
        except CaseError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect("asset-detail", asset.pk)
    return render(request, FORM, {"form": form}, status=422 if form.errors else 200)


@needs("work_cases")
@require_http_methods(["GET", "HEAD", "POST"])
def asset_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of an asset that is there. Changed in the meantime: nothing is saved, and it shows both versions."""
    asset = asset_for(person_of(request), pk)
    form = AssetForm(request.POST or None, asset=asset)
    context: dict[str, Any] = {"form": form, "asset": asset, "version": asset.version}
    if request.method == "POST" and form.is_valid():
        try:
            assets.update(
                Actor.of(person_of(request)), pk, changes=form.for_action(), expected_version=_version(request)
            )
        except Stale as error:
            form.add_error(None, error.message)
            context["now"] = _now(form, asset)
        except CaseError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            messages.success(request, _("Saved"))
            return redirect("asset-detail", pk)
    return render(request, FORM, context, status=422 if form.errors else 200)


@needs("manage_settings")
@require_POST
def asset_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Out of the inventory; back to it where alerts still name it, else to the list."""
    asset = asset_for(person_of(request), pk)
    try:
        assets.remove(Actor.of(person_of(request)), pk, expected_version=_version(request))
    except (Refused, Stale) as error:
        messages.error(request, error.message)
        return redirect("asset-detail", pk)
    messages.success(request, _("%(name)s is no longer in the inventory.") % {"name": asset.name})
    still = Asset.objects.visible_to(person_of(request)).filter(pk=pk).exists()
    return redirect("asset-detail", pk) if still else redirect("asset-list")


@needs("manage_settings")
@require_http_methods(["GET", "HEAD", "POST"])
def asset_upload(request: HttpRequest) -> HttpResponse:
    """The form for a file; then what the file would do, to be agreed to."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return render(request, IMPORT, {"form": FileForm()})
    if form.is_valid():
        file: UploadedFile[Any] = form.cleaned_data["file"]
        try:
            return _preview(request, file.name or "", _body(file))
        except CaseError as error:
            form.add_error("file", error.message)
    return render(request, IMPORT, {"form": form}, status=422)


@needs("manage_settings")
@require_POST
def asset_import_apply(request: HttpRequest, pk: int) -> HttpResponse:
    """Do what the preview said; if it would be something else by now, the preview again."""
    actor = Actor.of(person_of(request))
    try:
        done = asset_import.apply_kept(actor, pk)
    except Stale as error:
        kept = asset_import.kept_import(person_of(request), pk)
        return _preview(request, kept.name, kept.text.encode(), note=error.message, status=409)
    figures = {"made": len(done.created), "changed": len(done.changed), "same": done.same}
    messages.success(request, _("Imported: %(made)s new, %(changed)s changed, %(same)s as they were.") % figures)
    return redirect("asset-list")


@verb("assets")
def incident_asset_add(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Put an asset on the incident itself, by its name."""
    found = asset_links.add_to_incident(actor, number, request.POST.get("name", ""))
    return Done("assets", _("%s added") % found.name)


@verb("assets")
def incident_asset_remove(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Take an asset off the incident; its alerts keep theirs."""
    value = request.POST.get("asset", "")
    if not value.isdecimal() or len(value) > 18:
        raise Refused(_("Choose an asset first."))
    asset_links.remove_from_incident(actor, number, int(value))
    return Done("assets", _("Asset removed"))


def _preview(request: HttpRequest, name: str, body: bytes, *, note: str = "", status: int = 200) -> HttpResponse:
    kept, plan = asset_import.keep(Actor.of(person_of(request)), name, body)
    context = {
        "form": FileForm(),
        "kept": kept,
        "plan": plan,
        "note": note,
        "created": [asset_parts.new_line(step.row) for step in plan.created[:LISTED]],
        "changed": [(step.name, asset_parts.differences(step.changes)) for step in plan.changed[:LISTED]],
        "problems": plan.problems[:LISTED],
        "listed": LISTED,
    }
    return render(request, IMPORT, context, status=422 if plan.problems else status)


def _body(file: UploadedFile[Any]) -> bytes:
    if (file.size or 0) > BYTES_AT_MOST:
        raise Refused(_("The file is larger than 10 MiB."), field="file")
    return bytes(file.read())


def _version(request: HttpRequest) -> int | None:
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 10 else None


def _now(form: AssetForm, asset: Asset) -> list[tuple[str, str, str]]:
    """(label, typed, stored) of the fields that differ."""
    stored = initial_of(asset)
    return [
        (str(form.fields[name].label), form.data.get(name, ""), stored[name])
        for name in form.fields
        if form.data.get(name, "") != stored[name]
    ]
