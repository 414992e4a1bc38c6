"""The page of the sync: health, failures, conflicts, mapping gaps; and what keeps it true."""

from __future__ import annotations

import hashlib
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow import conflicts, failures, gaps, health
from cases.views.servicenow.tabs import tabs
from soar.accounts.models import User
from soar.lib.htmx import render_regions

TEMPLATE = "servicenow/sync.html"
CONFLICTS = 10  # the oldest; the others stand on the page of conflicts
REGIONS = ("live", "tabs", "health", "failures", "conflicts", "gaps")


@signed_in_reader
@require_safe
def sync_page(request: HttpRequest) -> HttpResponse:
    """How it does, and what needs people."""
    return render(request, TEMPLATE, context_of(person_of(request), request.GET.get("failures", "")))


@signed_in_reader
@require_safe
def sync_live(request: HttpRequest) -> HttpResponse:
    """The poll: 204 while everything is as the page shows it."""
    context = context_of(person_of(request), request.GET.get("failures", ""))
    if context["cursor"] == request.GET.get("cursor", ""):
        return HttpResponse(status=204)
    return render_regions(request, TEMPLATE, REGIONS, {**context, "live": True})


def context_of(user: User, failed_after: str = "") -> dict[str, Any]:
    """All regions. ``failed_after``: behind which failure the list of them begins."""
    asked = conflicts.open_rows(user, CONFLICTS + 1)
    head = tabs(user, "sync", conflicts=len(asked) if len(asked) <= CONFLICTS else None)
    missing, more_gaps = gaps.rows(user)
    found = {
        "instances": health.health(user),
        "failures": failures.failures(user, counts_all=head["sets_up"], after=failed_after),
        "conflicts": asked[:CONFLICTS],
        "gaps": missing,
    }
    more = {"more_gaps": more_gaps, "settled_lately": conflicts.settled_lately(user), "checked_at": timezone.now()}
    return {**head, **found, **more, "cursor": _cursor(head, found)}


def _cursor(head: dict[str, Any], found: dict[str, Any]) -> str:
    """Another one whenever the page would read differently; words that only count time do not count."""
    told: list[Any] = [head["instance_count"], head["profile_count"], head["link_count"], head["conflict_count"]]
    for one in found["instances"]:
        row = one.instance
        told += [one.host, one.profiles, one.troubles, one.runs, row.read_until, row.heard_at, row.every_seconds]
        told += [(d.look.css, str(d.look.word), d.ok_at, d.waiting, d.failed, d.verb) for d in one.directions]
        told += [row.out_resume_at, one.directions[0].pace if not row.out_resume_at else ""]
    for line in found["failures"].rows:
        told += [line.key, line.what, line.said, line.why, line.attempts, line.behind, line.may_edit, line.link.state]
    told += [found["failures"].total, found["failures"].hidden, found["failures"].next]
    told += [(one.conflict.pk, one.may_edit) for one in found["conflicts"]]
    told += [one.mark for one in found["gaps"]]
    return hashlib.blake2b(repr(told).encode(), digest_size=12).hexdigest()
