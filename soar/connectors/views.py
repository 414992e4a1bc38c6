"""Settings, Lists: exceptions, own list, warning lists. Reading needs view_cases, changing manage_settings."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from soar.accounts.models import User
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.forms import ExceptionForm, OwnListForm, exception_form, own_form
from soar.connectors.intelligence import actions
from soar.connectors.models import ExceptionEntry, OwnListEntry, WarningList
from soar.lib.keyset import Order
from soar.lib.paging import asked, paged

SHOWN, LISTS = 25, 50
NEWEST = Order("newest", ("id",))
BY_NAME = Order("name", ("category", "name", "id"), descending=False)


@require_safe
def list_index(request: HttpRequest) -> HttpResponse:
    """The page. ``?q=`` finds in values and reasons of the own lists."""
    if not _user(request).has_perm("accounts.view_cases"):
        raise PermissionDenied
    return _page(request)


@require_POST
def exception_add(request: HttpRequest) -> HttpResponse:
    """Add to the exception list."""
    _changing(request)
    form = exception_form(request.POST)
    if form.is_valid() and _done(form, lambda given: actions.add_exception(_user(request), **given)):
        messages.success(request, _("Added to the exceptions."))
        return redirect("list-index")
    return _page(request, status=400, exception_form=form)


@require_POST
def ownlist_add(request: HttpRequest) -> HttpResponse:
    """Add to the own list."""
    _changing(request)
    form = own_form(request.POST)
    if form.is_valid() and _done(form, lambda given: actions.add_own(_user(request), **given)):
        messages.success(request, _("Added to the own list."))
        return redirect("list-index")
    return _page(request, status=400, own_form=form)


@require_POST
def exception_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take off the exception list; one that is gone already is no error."""
    _changing(request)
    if actions.remove_exception(_user(request), pk):
        messages.success(request, _("Removed from the exceptions."))
    return _back(request)


@require_POST
def ownlist_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take off the own list; one that is gone already is no error."""
    _changing(request)
    if actions.remove_own(_user(request), pk):
        messages.success(request, _("Removed from the own list."))
    return _back(request)


@require_POST
def list_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a warning list speak (``enabled=1``) or be silent."""
    _changing(request)
    if actions.set_list_enabled(_user(request), pk, request.POST.get("enabled") == "1") is None:
        raise Http404
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the pages of the lists that were shown."""
    return redirect(f"{reverse('list-index')}?{request.POST.get('back', '')[:2000]}".rstrip("?"))


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _changing(request: HttpRequest) -> None:
    if not _user(request).has_perm("accounts.manage_settings"):
        raise PermissionDenied


def _done(form: ExceptionForm, act: Any) -> bool:
    given = dict(form.cleaned_data)
    given["type_"] = given.pop("type")
    try:
        act(given)
    except Forbidden:
        raise PermissionDenied from None
    except Refused as error:
        form.refuse(error)
        return False
    return True


def _page(request: HttpRequest, status: int = 200, **forms: ExceptionForm | OwnListForm) -> HttpResponse:
    query = asked(request.GET)
    exceptions, own = ExceptionEntry.objects.all(), OwnListEntry.objects.all()
    if query:
        exceptions, own = exceptions.filter(value__icontains=query), own.filter(value__icontains=query)
    keep = {name: request.GET.get(name, "") for name in ("q", "exceptions", "own", "lists")}
    context = {
        "query": query,
        "exceptions": paged(request, exceptions, NEWEST, keep=keep, name="exceptions", size=SHOWN, at="#exceptions"),
        "exception_count": exceptions.count(),
        "own_page": paged(request, own, NEWEST, keep=keep, name="own", size=SHOWN, at="#own"),
        "own_count": own.count(),
        "warning_lists": paged(
            request, WarningList.objects.all(), BY_NAME, keep=keep, name="lists", size=LISTS, at="#warning-lists"
        ),
        "may_change": _user(request).has_perm("accounts.manage_settings"),
        "exception_form": forms.get("exception_form") or exception_form(),
        "own_form": forms.get("own_form") or own_form(),
    }
    return render(request, "connectors/lists.html", context, status=status)
