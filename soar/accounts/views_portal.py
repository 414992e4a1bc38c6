"""Settings of the portal for all people, for those who manage them."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from soar.accounts import portal
from soar.accounts.membership import may
from soar.accounts.models import User


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def portal_settings(request: HttpRequest) -> HttpResponse:
    """Each switch with a sentence; saving changes what was changed."""
    user = cast(User, request.user)
    looks = request.method != "POST" and may(user, "view_setup")
    if not looks and not may(user, "manage_settings"):
        raise PermissionDenied("accounts.manage_settings")
    if request.method == "POST":
        for one in portal.SWITCHES:
            portal.switch(user, one, one.name in request.POST)
        messages.success(request, _("Saved"))
        return redirect("portal")
    rows = [{"switch": one, "on": one.on()} for one in portal.SWITCHES]
    return render(request, "accounts/portal.html", {"rows": rows})
