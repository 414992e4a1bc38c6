"""The guided path of a first day (interface.md 8)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.dashboard import first_steps
from cases.models import AlertSource
from cases.views.parts import needs, person_of
from soar.accounts import portal
from soar.accounts.membership import may


@needs("manage_sources")
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The page."""
    user = person_of(request)
    context = {
        "steps": first_steps.steps(user),
        "demo": AlertSource.objects.filter(demo=True).exists(),
        "may_hide": may(user, "manage_settings") and portal.FIRST_STEPS.on(),
    }
    return render(request, "cases/start.html", context)


@needs("manage_settings")
@require_POST
def start_hide(request: HttpRequest) -> HttpResponse:
    """Name it on no dashboard any more; it stays where it is, and the settings bring it back."""
    portal.switch(person_of(request), portal.FIRST_STEPS, on=False)
    messages.success(request, _("The first steps are hidden. The portal's settings bring them back."))
    return redirect("home")
