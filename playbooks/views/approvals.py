"""Approvals: those that wait, those that were decided, and the page of one with its blast radius (spec 19 to 22)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.restricted_views import note_rows
from playbooks.actions import approvals
from playbooks.choices import APPROVAL_OPEN
from playbooks.disclosure import withhold_words
from playbooks.models import Approval
from playbooks.response_selectors import approval_for, visible_approvals, waiting
from playbooks.views.approval_page import context_of
from playbooks.views.approval_words import asked_by, badge, time_left
from playbooks.views.parts import Context, holders, page, person_of, signed_in_reader
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

LIST, DETAIL = "playbooks/approvals.html", "playbooks/approval.html"
NEWEST = Order("newest", ("id",))
WAITING_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Row:
    """An approval as a line of the list."""

    approval: Approval
    url: str
    state: SafeString
    subject: str
    subject_url: str
    asked: str
    tasks: int
    left: str
    soon: bool
    mine: bool


@signed_in_reader
@require_safe
def approval_list(request: HttpRequest) -> HttpResponse:
    """Those that wait, the first to expire first; below them what was decided, newest first."""
    user = person_of(request)
    seen = visible_approvals(user).select_related("run__playbook", "requested_by").annotate(number=Count("tasks"))
    open_ones = list(seen.filter(status__in=APPROVAL_OPEN).order_by("expires_at", "pk")[:WAITING_SHOWN])
    over = seen.exclude(status__in=APPROVAL_OPEN)
    try:
        decided = keyset_page(over, NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        decided = keyset_page(over, NEWEST)
    note_rows(user, [*open_ones, *decided.rows])
    withhold_words(user, [*open_ones, *decided.rows])
    mine = set(waiting(user).values_list("pk", flat=True)) if may(user, "respond") else set()
    context = {
        "waiting": _rows(open_ones, mine),
        "decided": _rows(decided.rows, set()),
        "mine": len(mine),
        "newer_url": f"?cursor={decided.previous}" if decided.previous else "",
        "older_url": f"?cursor={decided.next}" if decided.next else "",
        "may_respond": may(user, "respond"),
        "responders": holders("respond"),
    }
    return render(request, LIST, context)


@signed_in_reader
@require_safe
def approval_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """What will be done to what, and the form. Looking decides nothing (spec 22)."""
    user = person_of(request)
    approval = approval_for(user, pk)
    return render(request, DETAIL, context_of(user, approval))


@signed_in_reader
@require_POST
def approval_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """``decide``: approve or reject (the ticked tasks), approve_all or reject_all."""
    user = person_of(request)
    try:
        approval = _decided(request, user, pk)
    except (Refused, Conflict) as error:
        return _refused(request, user, pk, error)
    said = _("Decided: %s.") % str(approval.state.label).lower()
    if is_partial(request):
        return _form(request, context_of(user, approval), said, 200)
    messages.success(request, said)
    return redirect("approval-detail", pk)


def _decided(request: HttpRequest, user: User, pk: int) -> Approval:
    word, comment = request.POST.get("decide", ""), request.POST.get("comment", "")
    yes, everything = word.startswith("approve"), word.endswith("_all")
    if word not in ("approve", "reject", "approve_all", "reject_all"):
        raise Refused(_("Choose: approve or reject."))
    tasks = None if everything else _ticked(request.POST.getlist("task"))
    if yes:
        reasons = {
            number: request.POST[f"reason-{number}"] for number in tasks or () if f"reason-{number}" in request.POST
        }
        return approvals.approve(Actor.of(user), pk, tasks=tasks, comment=comment, reasons=reasons)
    return approvals.reject(Actor.of(user), pk, tasks=tasks, comment=comment)


def _ticked(values: Sequence[str]) -> list[int]:
    return [int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 19]


def _refused(request: HttpRequest, user: User, pk: int, error: Refused | Conflict) -> HttpResponse:
    """The page as it is by now, with the reason; what was typed stays."""
    ticked = _ticked(request.POST.getlist("task"))
    context = context_of(user, approval_for(user, pk), ticked=ticked, given=request.POST)
    context["problem"] = {"text": error.message, "field": error.field or ""}
    status = 409 if isinstance(error, Conflict) else 422
    if is_partial(request):
        return _form(request, context, error.message, status)
    return render(request, DETAIL, context, status=status)


def _form(request: HttpRequest, context: Context, said: str, status: int) -> HttpResponse:
    return render_regions(request, DETAIL, ["form", "state"], context, extra=[live(said)], status=status)


def _rows(found: Sequence[Approval], mine: set[int]) -> list[Row]:
    return [
        Row(
            approval=one,
            url=reverse("approval-detail", args=[one.pk]),
            state=badge(one),
            subject=_subject(one),
            subject_url=_subject_url(one),
            asked=asked_by(one),
            tasks=one.number,  # type: ignore[attr-defined]
            left=time_left(one)[0],
            soon=time_left(one)[1],
            mine=one.pk in mine,
        )
        for one in found
    ]


def _subject(one: Approval) -> str:
    return f"ALR-{one.alert_id}" if one.alert_id else f"INC-{one.incident_id}" if one.incident_id else ""


def _subject_url(one: Approval) -> str:
    kind = "alert-detail" if one.alert_id else "incident-detail"
    return page(kind, _subject(one)) if _subject(one) else ""
