"""The queue: everybody's start page (casework.md 2)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from cases.models import Alert, AlertSource
from cases.views.alerts_facets import facets_context
from cases.views.alerts_jobs import current_job
from cases.views.alerts_queue import list_context, queue_of
from cases.views.alerts_saved import opening, tabs_context
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.lib.htmx import is_partial, is_typing, live, push_url, render_regions

TEMPLATE = "cases/alerts/list.html"
REGIONS = ["rows", "tabs", "total", "counts", "bulk", "keys", "new", "facets"]


@signed_in_reader
@require_safe
def alert_list(request: HttpRequest) -> HttpResponse:
    """The page, or, for htmx, the rows with everything that counts them. 204 for a filter that makes no sense yet."""
    user = person_of(request)
    if where := opening(request, user):
        return redirect(where)
    queue = queue_of(request, user)
    if queue.filter.errors and is_typing(request):
        return HttpResponse(status=204)
    context = {**list_context(queue), **tabs_context(queue), **facets_context(queue)}
    if not context["rows"] and not context["filtered"]:
        context |= {"blank": not Alert.objects.exists(), "may_sources": may(user, "manage_sources")}
        context["sources"] = AlertSource.objects.exists() if context["blank"] else True
    if not is_partial(request):
        return render(request, TEMPLATE, context | current_job(user))
    # The form itself is left alone while somebody types or ticks in it.
    regions = REGIONS if request.headers.get("HX-Trigger") == "alert-filter" else [*REGIONS, "filters"]
    number = context["total"].number
    said = ngettext("%(n)s alert", "%(n)s alerts", number) % {"n": context["total"]}
    answer = render_regions(request, TEMPLATE, regions, context, extra=[live(said)])
    return push_url(answer, queue.here(cursor=queue.cursor))
