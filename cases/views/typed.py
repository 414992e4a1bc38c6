"""What somebody typed for a place that was gone when they sent it (interface.md 3): it comes back, with the way to
where work goes on. An incident was merged meanwhile, or an alert has an incident now: their page has no form any more
that could show it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from cases.errors import Conflict, Missing
from cases.models import Incident
from cases.permissions import holds, incident_for
from cases.views.parts import person_of
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions

TEMPLATE = "cases/typed.html"
MERGED = "incident_merged"
# The fields in which people write, in the order in which they are read. Choices and times are quickly made again.
WORDS = ("title", "summary", "text", "description", "reason", "note", "comment", "value", "tags")


class TypedWords:
    """Middleware: the answer to a form of a page that no longer has the place for what was typed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The words and the reason; None where nothing was typed, or something else went wrong."""
        if not (isinstance(exception, Conflict) and typed_in(request)):
            return None
        return given_back(request, exception)


def typed_in(request: HttpRequest) -> str:
    """What was written in the fields of a form, one under the other; "" for a form without words."""
    if request.method != "POST":
        return ""
    given = [request.POST.get(name, "").strip() for name in WORDS]
    return "\n\n".join(piece for piece in given if piece)


def has_no_form(request: HttpRequest, error: Exception) -> bool:
    """Whether the page of a merged incident could not show again what was typed."""
    return isinstance(error, Conflict) and error.extra.get("code") == MERGED and bool(typed_in(request))


def goes_on(user: User, error: Conflict) -> Incident | None:
    """The incident that a conflict leads to, if this person may write there."""
    try:
        incident = incident_for(user, error.extra.get("incident", ""))
    except Missing:
        return None
    return incident if holds(user, incident, "comment") else None


def given_back(request: HttpRequest, error: Conflict) -> HttpResponse:
    """The words in a form that makes a note of the incident that remains, or to be copied where there is none."""
    context = {
        "text": error.message,
        "typed": typed_in(request),
        "incident": goes_on(person_of(request), error),
        "handoff": request.POST.get("kind") == "handoff",
        "url": error.extra.get("url", ""),
        "url_text": error.extra.get("incident", ""),
    }
    if not is_partial(request):
        return render(request, TEMPLATE, context, status=error.status)
    answer = render_regions(request, TEMPLATE, ["form"], context, extra=[live(error.message)], status=error.status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer
