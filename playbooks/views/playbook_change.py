"""Verbs of playbooks: enable, disable, reload the files, run by hand."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect as to
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Missing, Refused
from playbooks import actions
from playbooks.figures import NONE, figures
from playbooks.forms import RunForm
from playbooks.models import Playbook
from playbooks.selectors import playbook_with_id
from playbooks.views import graph_page
from playbooks.views.parts import person_of, signed_in_reader
from playbooks.views.playbook_page import TEMPLATE as PAGE
from playbooks.views.playbook_page import page_context
from playbooks.views.playbooks import TEMPLATE, list_context, row_of
from soar.lib.htmx import is_partial, live, redirect, render_regions, toast


@signed_in_reader
@require_POST
def playbook_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it start again; the row, or the page it was asked from."""
    return _switch(request, pk, actions.enable, _("%s is enabled."))


@signed_in_reader
@require_POST
def playbook_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it start nothing."""
    return _switch(request, pk, actions.disable, _("%s is disabled. What runs already goes on."))


def _switch(request: HttpRequest, pk: int, do: Callable[[Actor, Playbook], Playbook], said: str) -> HttpResponse:
    user = person_of(request)
    playbook = playbook_with_id(pk)
    problem = ""
    try:
        do(Actor.of(user), playbook)
    except Conflict as error:
        problem = error.message
    text = problem or said % playbook.name
    back = {"page": "playbook-detail", "edit": "playbook-edit"}.get(request.POST.get("from", ""))
    if not is_partial(request) or back:
        (messages.error if problem else messages.success)(request, text)
        return redirect(request, reverse(back, args=[pk]) if back else reverse("playbook-list"))
    row = row_of(playbook_with_id(pk), figures(user, pk).get(pk, NONE), may_edit=True)
    context = {**list_context(request), "row": row, "problem": problem}
    status = 409 if problem else 200
    return render_regions(request, TEMPLATE, ["row", "counts"], context, extra=[live(text)], status=status)


@signed_in_reader
@require_POST
def playbook_minutes(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep what a successful run saves, and go back to the playbook."""
    given = request.POST.get("minutes_saved", "").strip()
    minutes = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else -1
    try:
        actions.set_minutes_saved(Actor.of(person_of(request)), playbook_with_id(pk), minutes)
        messages.success(request, _("Saved."))
    except Refused as error:
        messages.error(request, error.message)
    return redirect(request, reverse("playbook-detail", args=[pk]))


@signed_in_reader
@require_POST
def playbook_reload(request: HttpRequest) -> HttpResponse:
    """Read the files again and say what came out."""
    user = person_of(request)
    done = actions.reload(Actor.of(user))
    loaded, failed = len(done["playbooks"]), len(done["errors"])
    text = ngettext("%d playbook loaded", "%d playbooks loaded", loaded) % loaded
    if failed:
        text += (
            ngettext(", %d file or function cannot be used", ", %d files or functions cannot be used", failed) % failed
        )
    if not is_partial(request):
        (messages.warning if failed else messages.success)(request, f"{text}.")
        return to("playbook-list")
    message = toast(f"{text}.", "amber" if failed else "green")
    extra = [message, live(f"{text}.")]
    return render_regions(request, TEMPLATE, ["table", "counts"], list_context(request), extra=extra)


@signed_in_reader
@require_POST
def playbook_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Run it by hand and go to the run; what is wrong stands beside the field."""
    user = person_of(request)
    playbook = playbook_with_id(pk)
    form = RunForm(playbook, request.POST)
    if form.is_valid():
        try:
            on = form.targets()
            dry = form.cleaned_data["dry_run"]
            run = actions.run_by_hand(
                Actor.of(user), playbook, alert=on.get("alert"), incident=on.get("incident"), dry_run=dry
            )
            return redirect(request, reverse("run-detail", args=[run.pk]))
        except (Missing, Refused, Conflict) as error:
            _put(form, error)
    drawn = playbook.kind == "response"
    context = (graph_page.page_context if drawn else page_context)(request, playbook, form)
    template = graph_page.TEMPLATE if drawn else PAGE
    if is_partial(request):
        return render_regions(request, template, ["by_hand"], context, status=422)
    return render(request, template, context, status=400)


def _put(form: RunForm, error: CaseError) -> None:
    """A missing alert is an error of the field: the person typed its number."""
    about_subject = isinstance(error, Missing | Refused) and "subject" in form.fields
    form.add_error("subject" if about_subject else None, error.message)
