"""Suppression rules in the browser: all of them, one of them, ending and releasing (ingest-and-api.md 9)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions import suppression as actions
from cases.actions import suppression_work
from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.source_access import manages_some
from cases.suppression_access import rule_for, rules_over, rules_seen_by
from cases.views import intake_parts
from cases.views.parts import needs, person_of, signed_in_reader
from cases.views.suppression_parts import detail_of, row_of
from soar.accounts.membership import may
from soar.lib.htmx import is_partial, render_regions

SHOWN = 200
DETAIL = "cases/suppression/detail.html"


@signed_in_reader
@require_safe
def suppression_list(request: HttpRequest) -> HttpResponse:
    """Rules in force, those that end first above; ``state=over`` shows what has expired or was ended."""
    user, over = person_of(request), request.GET.get("state") == "over"
    rows = rules_seen_by(user).select_related("team")
    chosen = rules_over(rows, over).order_by("-updated_at" if over else "expires_at")
    context = {
        "rows": [row_of(rule) for rule in chosen[:SHOWN]],
        "over": over,
        "n_current": rules_over(rows, False).count(),
        "n_over": rules_over(rows, True).count(),
        "may_work": may(user, "work_cases") or manages_some(user),
        "intake": intake_parts.tabs(user, "suppression-list"),
    }
    return render(request, "cases/suppression/list.html", context)


@signed_in_reader
@require_safe
def suppression_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule: what it says, what it holds back; asks for its figures again while alerts are being released."""
    user = person_of(request)
    context = detail_of(user, rule_for(user, pk))
    if is_partial(request):
        return render_regions(request, DETAIL, ["figures"], context)
    return render(request, DETAIL, context)


@needs("work_cases", manages_some)
@require_POST
def suppression_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End it now; with ``release`` what it held back comes into the queue."""
    rule = actions.end(Actor.of(person_of(request)), pk, release=bool(request.POST.get("release")))
    messages.success(request, _("%s has ended") % rule.name)
    return redirect("suppression-detail", pk)


@needs("work_cases", manages_some)
@require_POST
def suppression_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Put what it held back into the queue."""
    _told(request, lambda actor: actions.release(actor, pk), _("They are being put into the queue"))
    return redirect("suppression-detail", pk)


@needs("work_cases", manages_some)
@require_POST
def suppression_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away, once it is over and holds back nothing."""
    if _told(request, lambda actor: actions.delete(actor, pk), _("The rule is deleted")):
        return redirect("suppression-list")
    return redirect("suppression-detail", pk)


@needs("work_cases", manages_some)
@require_POST
def alert_unsuppress(request: HttpRequest, number: str) -> HttpResponse:
    """Put one alert into the queue."""
    said = _("The alert stands in the queue")
    _told(request, lambda actor: suppression_work.release_one(actor, number), said)
    return redirect("alert-detail", number)


def _told(request: HttpRequest, act: Callable[[Actor], object], said: str) -> bool:
    """Do it and say so, or say why not. What may not be seen or done stays a 404 or 403."""
    try:
        act(Actor.of(person_of(request)))
    except (Conflict, Refused) as error:
        messages.error(request, error.message)
        return False
    messages.success(request, said)
    return True
