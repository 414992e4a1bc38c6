"""How the portal itself does, for those who manage its settings (operations.md 7)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.actions import given_up
from cases.actors import Actor
from cases.errors import Missing
from cases.views import operations_parts as shown
from cases.views.parts import needs, person_of
from soar.lib.htmx import is_partial, render_regions

PAGE = "settings/operations.html"
manages = needs("manage_settings")
reads = needs("manage_settings", read_by="view_setup")


@reads
@require_safe
def operations(request: HttpRequest) -> HttpResponse:
    """Queue, processes, what failed, how others answer; an open page asks for it anew."""
    context = shown.all_of_it(person_of(request))
    return render_regions(request, PAGE, ["now"], context) if is_partial(request) else render(request, PAGE, context)


@manages
@require_POST
def task_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a task once more that was given up."""
    return _done(request, lambda: _("Queued again: %s") % given_up.retry(Actor.of(person_of(request)), pk))


@manages
@require_POST
def task_forget(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a task that was given up."""
    return _done(request, lambda: _("Forgotten: %s") % given_up.forget(Actor.of(person_of(request)), pk))


@manages
@require_POST
def tasks_retry(request: HttpRequest) -> HttpResponse:
    """Try all once more that have the name ``task``."""

    def act() -> str:
        number = given_up.retry_kind(Actor.of(person_of(request)), _task(request))
        return ngettext("%s task is queued again", "%s tasks are queued again", number) % number

    return _done(request, act)


@manages
@require_POST
def tasks_forget(request: HttpRequest) -> HttpResponse:
    """Forget all that have the name ``task``."""

    def act() -> str:
        number = given_up.forget_kind(Actor.of(person_of(request)), _task(request))
        return ngettext("%s task is forgotten", "%s tasks are forgotten", number) % number

    return _done(request, act)


def _task(request: HttpRequest) -> str:
    return request.POST.get("task", "").replace("\0", "")  # which no name has, and the database does not take


def _done(request: HttpRequest, act: Callable[[], str]) -> HttpResponse:
    """Back to the page, with what was done or why it was not: somebody else may have been first."""
    try:
        messages.success(request, act())
    except Missing as error:
        messages.error(request, error.message)
    return redirect("operations")
