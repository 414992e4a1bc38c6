"""Response playbooks as files: import, export as JSON and CACAO, templates (response-playbooks.md 28, 31)."""

from __future__ import annotations

import json
import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Missing, Refused
from playbooks.actions import graph_files
from playbooks.actions.graphs import RIGHT
from playbooks.exports import cacao_of
from playbooks.models import Playbook
from playbooks.selectors import playbook_with_id
from playbooks.views.drawing import picture
from playbooks.views.parts import Context, person_of, rights_of, signed_in_reader
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib.htmx import redirect

LARGEST = 2 * 1024 * 1024
TEMPLATES, IMPORT = "playbooks/templates.html", "playbooks/import.html"


@signed_in_reader
@require_safe
def playbook_templates(request: HttpRequest) -> HttpResponse:
    """The gallery, each template drawn; ``?template=`` opens one."""
    _author(request)
    chosen = request.GET.get("template", "")
    rows = [
        {"slug": one.slug, "graph": one.graph, "asks": one.asks, "open": one.slug == chosen,
         "picture": picture(one.graph, lambda _id: "", marks=None), "nodes": len(one.graph.nodes)}
        for one in graph_files.templates()
    ]  # fmt: skip
    return render(request, TEMPLATES, {"rows": rows, "total": len(rows), **rights_of(person_of(request))})


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def playbook_import(request: HttpRequest) -> HttpResponse:
    """A playbook from a JSON file, or from pasted text; what is wrong with it stands beside the field."""
    _author(request)
    context: Context = {"text": "", "problems": [], **rights_of(person_of(request))}
    if request.method != "POST":
        return render(request, IMPORT, context)
    try:
        text = _text(request)
        context["text"] = text[:20_000]
        made = graph_files.import_graph(
            Actor.of(person_of(request)), _parsed(text), rename_if_taken="rename" in request.POST
        )
    except CaseError as error:
        context["problems"] = error.extra.get("errors") or [{"field": error.field or "", "message": error.message}]
        context["taken"] = error.field == "name"
        return render(request, IMPORT, context, status=400)
    messages.success(request, _("%s is imported, switched off. Look at it and publish it.") % made.name)
    return redirect(request, reverse("playbook-edit", args=[made.pk]))


def _text(request: HttpRequest) -> str:
    """What was sent, as text. Raises Refused."""
    file = request.FILES.get("file")
    if file is not None:
        if (file.size or 0) > LARGEST:
            raise Refused(_("The file is larger than 2 MiB."), field="file")
        try:
            return bytes(file.read()).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Refused(_("The file is no text in UTF-8."), field="file") from None
    text = request.POST.get("text", "")
    if not text.strip():
        raise Refused(_("Choose a file, or paste the JSON."), field="file")
    return text


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = getattr(error, "lineno", None)
        more = _(" (line %d)") % where if where else ""
        raise Refused(_("This is no JSON%s.") % more, field="text") from None


@signed_in_reader
@require_safe
def playbook_export(request: HttpRequest, pk: int) -> HttpResponse:
    """The draft as JSON that can be imported (rulings 13); ``?version=`` one that was published."""
    row = _response(pk)
    document = graph_files.export(row)
    if number := _number(request):
        version = row.versions.filter(number=number).first()
        if version is None:
            raise Missing(_("There is no version %d.") % number)
        document = version.definition
    audit.exported(person_of(request), "playbook", row.name, format="json", version=number or "draft")
    return _file(document, row.name, "json")


@signed_in_reader
@require_safe
def playbook_cacao(request: HttpRequest, pk: int) -> HttpResponse:
    """The published version as a CACAO 2.0 playbook (response-playbooks.md 31)."""
    row = _response(pk)
    if row.current is None:
        raise Conflict(_("%s was never published: there is nothing to export yet.") % row.name)
    audit.exported(person_of(request), "playbook", row.name, format="cacao")
    return _file(cacao_of(row), row.name, "cacao.json")


def _response(pk: int) -> Playbook:
    row = playbook_with_id(pk)
    if row.kind != "response":
        raise Missing(_("%s is a Python playbook: its file is the export.") % row.name)
    return row


def _number(request: HttpRequest) -> int:
    text = request.GET.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _file(document: Any, name: str, ending: str) -> HttpResponse:
    """JSON to download, under a name that any system takes."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[:60] or "playbook"
    text = json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n"
    headers = {"Content-Disposition": f'attachment; filename="{stem}.{ending}"'}
    return HttpResponse(text, content_type="application/json; charset=utf-8", headers=headers)


def _author(request: HttpRequest) -> None:
    if not may(person_of(request), "author_playbooks"):
        raise Forbidden(_(RIGHT))
