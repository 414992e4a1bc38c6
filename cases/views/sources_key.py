"""Looking what another rule for the key of an alert would have made of past ones, before it is saved."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.actions.source_fields import checked
from cases.errors import Refused
from cases.views.key_preview import preview_key
from cases.views.parts import person_of
from cases.views.sources import found, manages_sources
from soar.lib.htmx import live, render_regions

TEMPLATE = "cases/sources/_key.html"


@manages_sources
@require_POST
def source_key_preview(request: HttpRequest, slug: str) -> HttpResponse:
    """The region below the field: how many alerts would have been merged or split, with examples."""
    source = found(request, slug)
    try:
        fields = checked({"key_fields": request.POST.get("key_fields", "").split("\n")})["key_fields"]
    except Refused as error:
        return render_regions(request, TEMPLATE, ["preview"], {"source": source, "key_problem": error.message})
    key = preview_key(person_of(request), source, fields)
    said = _("%(read)s alerts would have been %(after)s") % {"read": key.read - key.unreadable, "after": key.after}
    context = {"source": source, "key": key, "readable": key.read - key.unreadable}
    return render_regions(request, TEMPLATE, ["preview"], context, extra=[live(said)])
