"""Verbs of runs: cancel, retry, decide what happened to a call of unknown outcome."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.actors import Actor
from cases.errors import Conflict, Refused
from playbooks import actions
from playbooks.selectors import run_for
from playbooks.views import response_run
from playbooks.views.parts import person_of, signed_in_reader
from playbooks.views.run_page import TEMPLATE, context_of
from soar.lib.htmx import is_partial, live, render_regions


@signed_in_reader
@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop what has not begun; calls in flight end by themselves."""

    def do(actor: Actor) -> str:
        run = actions.cancel(actor, pk)
        return _("The run is cancelled.") if run.state.is_final else _("The run stops after the calls in flight.")

    return _answer(request, pk, do)


@signed_in_reader
@require_POST
def run_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Run again what failed; what succeeded is kept."""

    def do(actor: Actor) -> str:
        actions.retry(actor, pk)
        return _("The run is queued again. What succeeded is not repeated.")

    return _answer(request, pk, do)


@signed_in_reader
@require_POST
def run_decide(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """Say what happened to a call that was in flight when its worker died or ran out of time."""

    def do(actor: Actor) -> str:
        outcome = request.POST.get("outcome", "")
        if not outcome:
            run_for(actor, pk)
            raise Refused(_("Choose what happened."), field="outcome")
        run = actions.decide(actor, pk, step, outcome, request.POST.get("comment", ""))
        return _("Decided. The run goes on.") if run.status == "queued" else _("Decided.")

    return _answer(request, pk, do, step)


def _answer(request: HttpRequest, pk: int, do: Callable[[Actor], str], step: int = 0) -> HttpResponse:
    """The run as it is now; a refusal stands on the page, beside the form of ``step`` if it is about that."""
    user = person_of(request)
    try:
        said = do(Actor.of(user))
    except (Refused, Conflict) as error:
        run = run_for(user, pk)
        if run.playbook.kind == "response":
            return response_run.show(request, user, run, problem=error.message, status=error.status)
        context = context_of(request, user, run)
        beside = step if step in {row.step.pk for row in context["to_decide"]} else 0
        context["problem"] = {"text": error.message, "step": beside}
        if is_partial(request):
            status = 409 if isinstance(error, Conflict) else 422
            return render_regions(request, TEMPLATE, ["run"], context, extra=[live(error.message)], status=status)
        return render(request, TEMPLATE, context, status=error.status)
    if is_partial(request):
        run = run_for(user, pk)
        if run.playbook.kind == "response":
            return response_run.show(request, user, run)
        context = context_of(request, user, run)
        return render_regions(request, TEMPLATE, ["run"], context, extra=[live(said)])
    messages.success(request, said)
    return redirect("run-detail", pk)
