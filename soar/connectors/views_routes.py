"""Verbs of the rules of routing. They stand on the page of connectors."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from soar.connectors import routing
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.route_form import RouteForm
from soar.connectors.views_accounts import show_list, user_of

LONGEST_BACK = 1000


@require_POST
def route_add(request: HttpRequest) -> HttpResponse:
    """Put a rule behind the others."""
    _changing(request)
    form = RouteForm(request.POST)
    if form.is_valid() and _added(request, form):
        messages.success(request, _("The rule is the last one now."))
        return redirect("connector-list")
    return show_list(request, status=422, route_form=form)


@require_POST
def route_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rule away; one that is gone already is no error."""
    _changing(request)
    if routing.remove_route(user_of(request), pk):
        messages.success(request, _("The rule is gone."))
    return _back(request)


@require_POST
def route_raise(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a rule come one earlier."""
    _changing(request)
    routing.raise_route(user_of(request), pk)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page of rules from which it was asked."""
    here = request.POST.get("back", "")[:LONGEST_BACK]
    return redirect(f"{reverse('connector-list')}{f'?{here}' if here else ''}#routes")


def _added(request: HttpRequest, form: RouteForm) -> bool:
    given = dict(form.cleaned_data)
    try:
        routing.add_route(user_of(request), account=int(given.pop("account")), **given)
    except Forbidden:
        raise PermissionDenied from None
    except Refused as error:
        form.refuse(error)
        return False
    return True


def _changing(request: HttpRequest) -> None:
    if not user_of(request).has_perm("accounts.manage_connectors"):
        raise PermissionDenied
