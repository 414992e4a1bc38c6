"""Verbs of a source: on, off, rotate and revoke tokens, send a sample."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from cases.actions import sources as actions
from cases.actors import Actor
from cases.errors import Refused
from cases.ingest import counters
from cases.ingest.pipeline import Outcome, receive, rules_of
from cases.ingest.reading import Unreadable
from cases.views.parts import person_of
from cases.views.sources import found, manages_sources, show

SAMPLE_AT_MOST = 1024 * 1024


@manages_sources
@require_POST
def source_enable(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch it on."""
    return _switched(request, slug, True)


@manages_sources
@require_POST
def source_disable(request: HttpRequest, slug: str) -> HttpResponse:
    """Switch it off: all deliveries are refused."""
    return _switched(request, slug, False)


@manages_sources
@require_POST
def source_rotate(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a new token, shown this once, for so many days or for good; those there are end after the overlap."""
    found(request, slug)
    hours, days = request.POST.get("overlap_hours", "24"), request.POST.get("days", "").strip()
    try:
        if not _whole(hours):
            raise Refused(_("The overlap is a whole number of hours."), field="overlap_hours")
        if days and not _whole(days):
            raise Refused(_("Write a whole number of days, or nothing."), field="days")
        actor = Actor.of(person_of(request))
        source, token = actions.rotate_token(actor, slug, overlap_hours=int(hours), days=int(days) if days else None)
    except Refused as error:
        told = {"days_problem" if error.field == "days" else "problem": error.message}
        written = {"overlap_hours": hours[:20], "days": days[:20]}
        return show(request, found(request, slug), status=422, rotation=written, **told)
    return show(request, source, token=token, status=201)


def _whole(text: str) -> bool:
    return text.isdecimal() and len(text) <= 5


@manages_sources
@require_POST
def source_revoke(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Make one token useless at once."""
    found(request, slug)
    actions.revoke_token(Actor.of(person_of(request)), slug, pk)
    messages.success(request, _("The token no longer works."))
    return redirect("source-detail", slug)


@manages_sources
@require_POST
def source_sample(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the sample, or what was made of it, through the same pipeline as every delivery."""
    source = found(request, slug)
    text = request.POST.get("sample", "")
    if not source.enabled:
        return show(
            request, source, status=409, sample=text, sample_problem=_("The source is off. Switch it on first.")
        )
    if len(text) > SAMPLE_AT_MOST:
        return show(request, source, status=422, sample_problem=_("A sample has at most 1 MiB."))
    try:
        outcomes, _many = receive(rules_of(source), text.encode("utf-8", "replace"), "application/json")
    except Unreadable as error:
        counters.note(source.pk, refused=1, error=error.message)
        return show(request, source, status=422, sample=text, sample_problem=error.message)
    _count(source.pk, outcomes)
    return show(request, found(request, slug), sample=text, outcomes=outcomes)


def _switched(request: HttpRequest, slug: str, on: bool) -> HttpResponse:
    found(request, slug)
    source = actions.set_enabled(Actor.of(person_of(request)), slug, on)
    said = _("%s takes deliveries.") if on else _("%s refuses all deliveries now.")
    messages.success(request, said % source.name)
    return redirect("source-detail", slug)


def _count(source_id: int, outcomes: list[Outcome]) -> None:
    refused = [one.detail for one in outcomes if one.detail]
    created = sum(one.status == 201 for one in outcomes)
    repeats = len(outcomes) - created - len(refused)
    error = refused[-1] if refused else ""
    counters.note(source_id, accepted=created, repeats=repeats, refused=len(refused), error=error)
