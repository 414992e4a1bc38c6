"""Dead letters in the browser, for those who manage sources (ingest-and-api.md 5)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases import replaying
from cases.actions import dead_letters as actions
from cases.actors import Actor
from cases.errors import CaseError, Missing
from cases.models import AlertSource, DeadLetter, ReplayJob
from cases.views import dead_letters_parts as shown
from cases.views import intake_parts
from cases.views.parts import person_of
from cases.views.sources import found, manages_it, manages_sources, read_or_found, reads_sources
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

NEWEST = Order("-id", ("id",))
LIST, JOB = "cases/sources/dead_letters.html", "cases/sources/replay.html"
STATES = ("waiting", "read")


@reads_sources
@require_safe
def letter_list(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Those of a source, or of all; ``state=waiting`` or ``read`` leaves some out. Their bytes and verbs are for those
    who manage the sources."""
    source = read_or_found(request, slug) if slug else None
    rows = actions.letters_read_by(person_of(request), slug).select_related("source", "alert").defer("body")
    state = request.GET.get("state", "")
    if state in STATES:
        rows = rows.filter(replayed_at__isnull=state == "waiting")
    try:
        page = keyset_page(rows, NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(rows, NEWEST)
    keep = f"state={state}&" if state in STATES else ""
    context = {
        "rows": [shown.row(letter) for letter in page.rows],
        "manages": manages_it(person_of(request), source),
        "state": state if state in STATES else "",
        "newer_url": f"?{keep}cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}cursor={page.next}" if page.next else "",
        "waiting": shown.count_waiting(source, person_of(request)),
        "intake": [] if source else intake_parts.tabs(person_of(request), "dead-letters"),
        **_of(source, "dead-letters"),
    }
    return render(request, LIST, context)


@manages_sources
@require_safe
def letter_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them: the error, what is known of the delivery, its bytes."""
    return _show(request, actions.letter_for(Actor.of(person_of(request)), pk))


@manages_sources
@require_POST
def letter_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Read it once more."""
    try:
        letter = replaying.replay(Actor.of(person_of(request)), pk)
    except Missing:
        raise
    except CaseError as error:
        messages.error(request, error.message)
        return redirect("dead-letter", pk)
    if letter.replayed_at is None:
        messages.error(request, _("It still cannot be read: %s") % letter.error)
    else:
        messages.success(request, _("It was read. %s") % letter.outcome)
    return redirect("dead-letter", pk)


@manages_sources
@require_POST
def letter_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete it for good."""
    actor = Actor.of(person_of(request))
    slug = actions.letter_for(actor, pk).source.slug
    actions.delete(actor, pk)
    messages.success(request, _("Deleted"))
    return redirect("source-letters", slug)


@manages_sources
@require_POST
def letters_delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete all of a source."""
    found(request, slug)
    number = actions.delete_all(Actor.of(person_of(request)), slug)
    said = ngettext("%s dead letter deleted", "%s dead letters deleted", number) % number
    messages.success(request, said)
    return redirect("source-letters", slug)


@manages_sources
@require_POST
def letters_replay(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Read all that wait once more, in the background; the answer leads to the progress."""
    if slug:
        found(request, slug)
    try:
        job = actions.start_replay(person_of(request), slug)
    except CaseError as error:
        messages.error(request, error.message)
        return redirect("source-letters", slug) if slug else redirect("dead-letters")
    return redirect("replay-job", job.pk)


@manages_sources
@require_safe
def replay_job(request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of a replay; asks again while it goes on."""
    job = actions.job_for(person_of(request), pk)
    context = {"job": job, "total": len(job.letters), "failed": job.position - job.done, "state": _job_state(job)}
    if is_partial(request):
        extra = [live(_("%(n)s of %(all)s") % {"n": job.position, "all": len(job.letters)})] if job.finished_at else []
        return render_regions(request, JOB, ["progress"], context, extra=extra)
    return render(request, JOB, context)


def _show(request: HttpRequest, letter: DeadLetter) -> HttpResponse:
    context = {
        "letter": letter,
        "state": shown.state_of(letter),
        "body": shown.body_of(letter),
        "can_replay": letter.replayed_at is None and letter.whole,
        **shown.tabs(letter.source, "dead-letters"),
    }
    return render(request, "cases/sources/dead_letter.html", context)


def _of(source: AlertSource | None, tab: str) -> dict[str, Any]:
    return shown.tabs(source, tab) if source else {"source": None}


def _job_state(job: ReplayJob) -> tuple[str, str, str]:
    """Class, sign and word of the job's badge."""
    if not job.finished_at:
        return "is-in_progress", "st-in_progress", _("Under way")
    if job.done == len(job.letters):
        return "is-successful", "st-successful", _("All could be read")
    if job.done:
        return "is-partially_successful", "st-partially_successful", _("Some could be read")
    return "is-unsuccessful", "st-unsuccessful", _("None could be read")
