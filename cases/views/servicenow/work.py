"""The verbs of failures and conflicts: retry, skip, both for all, keep ours, take theirs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.actions import servicenow as actions
from cases.actions.servicenow_access import changes_seen
from cases.actors import Actor
from cases.errors import Forbidden, Missing
from cases.permissions import holds
from cases.ticket_words import change_words, field_label
from cases.views.servicenow.answers import asked, verb
from soar.accounts.models import User


@verb
def change_retry(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Send one failed change again."""
    change = actions.retry(actor, pk)
    return _("INC-%(incident)s: trying again to %(what)s") % {
        "incident": change.link.incident_id,
        "what": change_words(change),
    }


@verb
def change_retry_all(request: HttpRequest, actor: Actor) -> str:
    """Send all failed changes again that the person may work on."""
    number = actions.retry_all(actor)
    return ngettext("Trying %d change again", "Trying %d changes again", number) % number


def _skipping(request: HttpRequest, user: User, pk: int) -> dict[str, Any]:
    change = changes_seen(user).select_related("link__incident", "evidence").filter(pk=pk).first()
    if change is None:
        raise Missing(_("There is no such change for ServiceNow."))
    if not holds(user, change.link.incident, "edit"):
        raise Forbidden(_("You may see this incident but not change it."))
    numbers = {"incident": change.link.incident.number, "ticket": change.link.number or _("its ticket")}
    rest = _("The changes behind it go on.")
    if change.kind == "fields":
        rest += " " + _("%(incident)s differs from %(ticket)s until the next change of these fields.") % numbers
    return {
        "title": _("Skip this change?"),
        "lead": f"{numbers['incident']}: {change_words(change)}. " + _("It is never sent.") + f" {rest}",
        "said": change.said,
        "fields": [_reason()],
        "yes": _("Skip it"),
        "no": _("Keep it"),
        "stop": True,
    }


def _reason() -> dict[str, Any]:
    return {"name": "reason", "label": _("Reason"), "required": True, "longest": 500}


@asked(_skipping)
def change_skip(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Let a failed change go, with a reason."""
    change = actions.skip(actor, pk, request.POST.get("reason", ""))
    return _("INC-%(incident)s: skipped to %(what)s") % {
        "incident": change.link.incident_id,
        "what": change_words(change),
    }


def _skipping_all(request: HttpRequest, user: User) -> dict[str, Any]:
    number = actions.failures_of(user).exclude(kind="create").count()
    lead = (
        ngettext(
            "%d failed change is never sent, if you may change its incident; those behind it go on.",
            "%d failed changes are never sent, as far as you may change their incidents; those behind them go on.",
            number,
        )
        % number
    )
    return {
        "title": _("Skip all failed changes?"),
        "lead": lead + " " + _("What would make a ticket stays.") if number else "",
        "fields": [_reason()] if number else [],
        "blocked": "" if number else _("Nothing failed that could be skipped."),
        "yes": _("Skip all"),
        "no": _("Keep them") if number else _("Back"),
        "stop": True,
    }


@asked(_skipping_all)
def change_skip_all(request: HttpRequest, actor: Actor) -> str:
    """Let all failed changes go that the person may work on, with one reason."""
    number = actions.skip_all(actor, request.POST.get("reason", ""))
    return ngettext("Skipped %d change", "Skipped %d changes", number) % number


@verb
def conflict_decide(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Settle a conflict."""
    row = actions.decide(actor, pk, request.POST.get("side", ""))
    said = (
        _("INC-%(incident)s, %(field)s: kept ours")
        if row.outcome == "ours"
        else _("INC-%(incident)s, %(field)s: took theirs")
    )
    return said % {"incident": row.link.incident_id, "field": field_label(row.field)}
