"""The page of a run: its steps while they happen, what came out, what a person must decide."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.errors import Missing
from playbooks.disclosure import withhold
from playbooks.models import Run
from playbooks.selectors import run_for
from playbooks.views import response_run, words
from playbooks.views.parts import Context, person_of, signed_in_reader
from playbooks.views.run_parts import page_context, sequence_of, signature_of, steps_page
from soar.accounts.models import User
from soar.lib.htmx import is_partial, render_regions

TEMPLATE = "playbooks/run.html"
WHOLE = "playbooks/value.html"


@signed_in_reader
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; ``?after=`` shows later steps."""
    user = person_of(request)
    run = run_for(user, pk)
    if run.playbook.kind == "response":
        return response_run.show(request, user, run)
    context = context_of(request, user, run)
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["run"], context)
    return render(request, TEMPLATE, context)


@signed_in_reader
@require_safe
def run_live(request: HttpRequest, pk: int) -> HttpResponse:
    """The poll: 204 when nothing changed, else the whole run, to be morphed into the page."""
    user = person_of(request)
    run = run_for(user, pk)
    if run.playbook.kind == "response":
        return response_run.show(request, user, run, poll=True)
    context = context_of(request, user, run)
    if context["sig"] == request.GET.get("sig"):
        return HttpResponse(status=204)
    return render_regions(request, TEMPLATE, ["run"], context)


def context_of(request: HttpRequest, user: User, run: Run) -> Context:
    """All that the run's region needs."""
    after = request.GET.get("after", "")
    steps = steps_page(run, int(after) if after.isascii() and after.isdigit() and len(after) < 9 else 0)
    withhold(user, [run], steps.rows)
    others = sequence_of(run)
    context = page_context(user, run, steps, others)
    return {**context, "sig": signature_of(run, steps, others, context["workers"])}


@signed_in_reader
@require_safe
def run_step(request: HttpRequest, pk: int, step: int) -> HttpResponse:
    """All of a step's arguments, result and error."""
    user = person_of(request)
    run = run_for(user, pk)
    found = run.steps.filter(pk=step).first() if step < 2**63 else None
    if found is None:
        raise Missing(_("This run has no such step."))
    withhold(user, [run], [found])
    values = [
        (_("Arguments"), words.pretty(found.arguments)),
        (_("Result"), words.pretty(found.result)),
        (_("Error"), found.error),
    ]
    return render(request, WHOLE, {"run": run, "heading": found.name, "key": found.key, "values": values})


@signed_in_reader
@require_safe
def run_result(request: HttpRequest, pk: int) -> HttpResponse:
    """All of what the playbook returned, and of its error."""
    user = person_of(request)
    run = run_for(user, pk)
    withhold(user, [run])
    values = [(_("Result"), words.pretty(run.result)), (_("Error"), run.error), (_("Traceback"), run.traceback)]
    return render(request, WHOLE, {"run": run, "heading": _("Result"), "values": values})
