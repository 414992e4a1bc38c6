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

from soar.accounts.actions import viewing as actions
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.accounts.viewing import enter, leave
from soar.lib.errors import CaseError

PEOPLE_AT_MOST = 500


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def view_as(request: HttpRequest) -> HttpResponse:
    """Choose whose view to see (``person``, a user name); afterwards the queue as they see it."""
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
    context = {"person": person, "people": _people(viewer), "refusal": refusal, "minutes": actions.minutes()}
    return render(request, "accounts/view_as.html", context, status=422 if refusal else 200)


@login_required
@require_POST
def view_as_stop(request: HttpRequest) -> HttpResponse:
    """Back to one's own view. Stopping twice changes nothing."""
    if viewing := getattr(request, "viewing", None):
        leave(request, viewing)
        messages.success(request, _("You see your own view again."))
    return redirect("/")


def _people(viewer: User) -> list[User]:
    rows = User.objects.filter(is_active=True).exclude(pk=viewer.pk).order_by("first_name", "username")
    return list(rows.only("username", "first_name", "last_name")[:PEOPLE_AT_MOST])
