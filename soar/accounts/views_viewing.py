"""Where people who manage people begin and stop seeing the portal as somebody else (access.md 5)."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from soar.accounts.access.forms import OFFERED, people_named
from soar.accounts.actions import viewing as actions
from soar.accounts.authority import held
from soar.accounts.backend import read_permissions
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.accounts.viewing import enter, leave
from soar.lib.errors import CaseError
from soar.lib.htmx import is_partial, render_regions

LOOKED_AT = 50  # of whom those are offered who hold no more than the viewer
TEMPLATE = "accounts/view_as.html"


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def view_as(request: HttpRequest) -> HttpResponse:
    """Choose whose view to see (``person``, a user name); afterwards the queue as they see it. While one types, the
    options of people whose name holds the text."""
    viewer = cast(User, request.user)
    if not may(viewer, "manage_people"):
        raise PermissionDenied("accounts.manage_people")
    given = request.POST if request.method == "POST" else request.GET
    person, refusal = given.get("person", "")[:150], ""
    if request.method == "POST":
        try:
            enter(request, actions.start(viewer, person))
            return redirect("/")
        except CaseError as error:
            refusal = error.message
    if request.method != "POST" and is_partial(request):
        return render_regions(request, TEMPLATE, ["people"], {"people": _people(viewer, person)})
    context = {"person": person, "people": _people(viewer, ""), "refusal": refusal, "minutes": actions.minutes()}
    return render(request, TEMPLATE, context, status=422 if refusal else 200)


@login_required
@require_POST
def view_as_stop(request: HttpRequest) -> HttpResponse:
    """Back to one's own view. Stopping twice changes nothing."""
    if viewing := getattr(request, "viewing", None):
        leave(request, viewing)
        messages.success(request, _("You see your own view again."))
    return redirect("/")


def _people(viewer: User, text: str) -> list[User]:
    """Whom the viewer may look as, of those whose name holds the text."""
    found = list(people_named(text).exclude(pk=viewer.pk)[:LOOKED_AT])
    read_permissions(found)
    return [one for one in found if held(one) <= held(viewer)][:OFFERED]
