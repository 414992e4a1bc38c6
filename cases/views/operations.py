"""How the portal itself does, for those who manage its settings (operations.md 7)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cases.views import operations_parts as shown
from cases.views.parts import needs, person_of
from soar.lib.htmx import is_partial, render_regions

PAGE = "settings/operations.html"


@needs("manage_settings")
@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    """Queue, processes, what failed, how others answer; an open page asks for it anew."""
    context = shown.all_of_it(person_of(request))
    return render_regions(request, PAGE, ["now"], context) if is_partial(request) else render(request, PAGE, context)
