"""What people do when the sync asks for them: retry, skip, decide a conflict (servicenow.md 6, 9)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import text_of
from cases.actions.servicenow_access import change_for, changes_seen, conflict_for, failed
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import LinkState, TicketChange, TicketConflict, TicketLink
from cases.models.servicenow_traffic import ChangeState
from cases.permissions import parse_number
from cases.servicenow import outbox
from cases.ticket_words import change_words
from soar.accounts.models import User
from soar.lib import clock

SIDES = ("ours", "theirs")
REASON_AT_MOST = 500
AT_ONCE = 500


@transaction.atomic
def retry(actor: Actor, change: int) -> TicketChange:
    """Send a change that failed once more, now. Twice changes nothing. Raises Missing, Forbidden, and Conflict at a
    broken link or for a change that is over."""
    _incident, link, row = change_for(actor, change)
    _works(link)
    if row.state in (ChangeState.WAITING, ChangeState.SENDING):
        return row
    if row.state != ChangeState.FAILED:
        raise Conflict(_("This change was sent or let go in the meantime."))
    # Of what differs one row waits at most, and it sends all that differs: the one behind this one is not needed.
    if row.kind == "fields":
        link.changes.filter(kind="fields", state=ChangeState.WAITING).delete()
    row.state, row.due_at = ChangeState.WAITING, clock.now()
    row.save(update_fields=["state", "due_at"])
    outbox.ring(link)
    return row


def retry_all(actor: Actor, *, incident: str | None = None, instance: str | None = None) -> int:
    """Retry every failure at an incident that the person may edit, or those of one incident or instance (its slug).
    Returns how many; at most AT_ONCE."""
    return sum(_settled(partial(retry, actor, pk)) for pk in _failed_of(actor, incident, instance))


def skip_all(actor: Actor, reason: str, *, incident: str | None = None, instance: str | None = None) -> int:
    """Let every failure go that can be let go, as ``retry_all`` finds them, each with ``reason`` on its timeline. The
    making of a ticket stays: without it nothing can go on. Returns how many. Raises Refused without a reason."""
    why = text_of(reason, "reason", most=REASON_AT_MOST)
    return sum(_settled(partial(skip, actor, pk, why)) for pk in _failed_of(actor, incident, instance))


def failures_of(user: User | None, incident: str | None = None, instance: str | None = None) -> QuerySet[TicketChange]:
    """The failures that the person sees, or those of one incident or instance."""
    rows = failed(TicketChange.objects.all() if user is None else changes_seen(user))
    if incident is not None:
        rows = rows.filter(link__incident=parse_number(incident, "INC"))
    return rows.filter(link__instance__slug=instance) if instance is not None else rows


def _failed_of(actor: Actor, incident: str | None, instance: str | None) -> list[int]:
    rows = failures_of(actor.user, incident, instance)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def _settled(act: Callable[[], object]) -> bool:
    try:
        act()
    except (Conflict, Forbidden, Missing):
        return False  # settled by somebody else meanwhile, or seen but not theirs to work on
    return True


@transaction.atomic
def skip(actor: Actor, change: int, reason: str) -> TicketChange:
    """Let a change go that failed: it is never sent, and those behind it go on. Raises Refused without a reason,
    Missing, Forbidden, and Conflict for one that did not fail or is the making of the ticket."""
    incident, link, row = change_for(actor, change)
    why = text_of(reason, "reason", most=REASON_AT_MOST)
    if row.state == ChangeState.SKIPPED:
        return row
    if row.state != ChangeState.FAILED:
        raise Conflict(_("Only a change that failed can be skipped."))
    if row.kind == "create":
        raise Conflict(_("Without the ticket nothing behind it can be sent. Retry, or unlink the incident."))
    row.state, row.finished_at = ChangeState.SKIPPED, clock.now()
    row.detail = {**row.detail, "skipped_by": actor.name, "reason": why}
    row.save(update_fields=["state", "finished_at", "detail"])
    told = {"number": link.number, "change": str(change_words(row)), "said": row.said[:500]}
    timeline.record("servicenow.skipped", incident, actor, text=why, data=told)
    outbox.ring(link)
    return row


@transaction.atomic
def decide(actor: Actor, conflict: int, side: str) -> TicketConflict:
    """Settle a conflict: keep ours, or take theirs; a worker then brings both sides into agreement. If one of them has
    changed once more meanwhile, that is a new conflict. The same decision twice changes nothing.

    Raises Refused for another word, Missing, Forbidden, Conflict where it is settled the other way."""
    incident, link, row = conflict_for(actor, conflict)
    if side not in SIDES:
        raise Refused(_("Must be one of: %(sides)s.") % {"sides": ", ".join(SIDES)}, field="side")
    if row.outcome:
        if row.outcome == side:
            return row
        raise Conflict(_("This conflict is settled already."))
    if link.state == LinkState.ENDED:
        raise Conflict(_("The incident and this ticket are not linked any more."))
    row.outcome, row.decided_by, row.decided_at = side, actor.user, clock.now()
    row.save(update_fields=["outcome", "decided_by", "decided_at"])
    _settle(link, row)
    both = {name: str(getattr(row, name).get("shown") or "") for name in SIDES}
    told = {"number": link.number, "field": row.field, "outcome": side, **both}
    timeline.record("servicenow.settled", incident, actor, data=told)
    outbox.ring(link)
    return row


def _settle(link: TicketLink, row: TicketConflict) -> None:
    """Move what the sides last agreed on, so that the merge sees one side changed: the one that is to go over."""
    # The side that is to go over has no value there: it counts as changed, whatever the base said of it.
    agreed = {"theirs": row.raw} if row.outcome == "ours" else {"ours": row.ours.get("value")}
    link.base = {**link.base, row.field: agreed}
    link.save(update_fields=["base"])


def _works(link: TicketLink) -> None:
    if link.state == LinkState.BROKEN:
        raise Conflict(_("The link is broken. Link another ticket or create it again first."))
    if link.state == LinkState.ENDED:
        raise Conflict(_("The incident and this ticket are not linked any more."))
