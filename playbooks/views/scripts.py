"""Settings, Scripts: what can be run on endpoints. Reading needs view_cases, changing author_playbooks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actors import Actor
from cases.errors import Refused
from playbooks import script_files
from playbooks.actions import scripts
from playbooks.models import Script
from playbooks.views.parts import Context, check_may, holders, person_of, signed_in_reader
from soar.accounts.membership import may
from soar.lib.hidden import shown

LIST = "settings/scripts.html"
SHOWN = 500
LINES_AT_MOST = 400_000  # characters of a text on its page; the whole is downloaded


class ScriptForm(forms.Form):
    """A file with what it is for. The file's name is the script's."""

    file = forms.FileField(
        label=gettext_lazy("Script"), help_text=gettext_lazy("A .ps1 or .sh file in UTF-8, at most 1 MiB.")
    )
    systems = forms.MultipleChoiceField(
        label=gettext_lazy("Operating system, of Bash"),
        required=False,
        choices=list(script_files.SYSTEMS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    description = forms.CharField(
        label=gettext_lazy("What it does"), required=False, max_length=scripts.DESCRIPTION_AT_MOST
    )


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def script_list(request: HttpRequest) -> HttpResponse:
    """The library; POST adds a file."""
    if request.method != "POST":
        return _page(request, ScriptForm())
    check_may(request, "author_playbooks")
    form = ScriptForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            script = _added(request, form)
        except Refused as error:
            form.add_error("file" if error.field == "name" else error.field, error.message)
        else:
            messages.success(request, _("%s is in the library.") % script.name)
            return redirect("script-list")
    return _page(request, form, status=422)


@signed_in_reader
@require_safe
def script_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One script with its text; signs stand for characters that nobody sees."""
    script = scripts.script_for(Actor.of(person_of(request)), pk)
    text = shown(script.text[:LINES_AT_MOST])
    context = {**_line(script), "text": text, "cut": len(script.text) > LINES_AT_MOST, **_rights(request)}
    return render(request, "settings/script.html", context)


@signed_in_reader
@require_safe
def script_text(request: HttpRequest, pk: int) -> HttpResponse:
    """The file as it was sent."""
    script = scripts.script_for(Actor.of(person_of(request)), pk)
    answer = HttpResponse(script.text.encode(), content_type="application/octet-stream")
    plain = "".join(sign if sign.isascii() and sign not in '"\\' else "_" for sign in script.name)
    answer["Content-Disposition"] = f'attachment; filename="{plain}"'
    return answer


@signed_in_reader
@require_POST
def script_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it off the library."""
    script = scripts.remove(Actor.of(person_of(request)), pk)
    messages.success(request, _("%s is removed. Tasks that ran it keep its text.") % script.name)
    return redirect("script-list")


def _added(request: HttpRequest, form: ScriptForm) -> Script:
    given = form.cleaned_data
    file = given["file"]
    if (file.size or 0) > script_files.BYTES_AT_MOST:
        raise Refused(_("The script is larger than 1 MiB."), field="file")
    return scripts.add(
        Actor.of(person_of(request)),
        file.name or "",
        bytes(file.read()),
        systems=given["systems"],
        description=given["description"],
    )


def _page(request: HttpRequest, form: ScriptForm, status: int = 200) -> HttpResponse:
    rows = Script.objects.filter(removed=False).select_related("uploaded_by").defer("text")[:SHOWN]
    context = {"rows": [_line(row) for row in rows], "form": form, **_rights(request)}
    return render(request, LIST, context, status=status)


def _rights(request: HttpRequest) -> Context:
    return {"may_change": may(person_of(request), "author_playbooks"), "authors": holders("author_playbooks")}


def _line(script: Script) -> dict[str, Any]:
    return {
        "script": script,
        "language": script_files.LABELS.get(script.language, script.language),
        "systems": ", ".join(script_files.SYSTEMS.get(name, name) for name in script.systems) or "Windows",
        "size": filesizeformat(script.size),
        "by": script.uploaded_by.display_name(),
    }
