"""Sending what stands in the outbox of a ticket, one after the other, by one worker at a time (servicenow.md 4).

``work`` is what a worker does when it is rung for. That a row is being sent is committed before the call, and every
second try looks first whether the one before had its effect."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from cases import leases, timeline
from cases.actors import Actor
from cases.models import ChangeState, Incident, TicketChange, TicketLink, TicketProfile
from cases.models.servicenow_traffic import OPEN_CHANGES
from cases.servicenow import agreeing, creating, health, holding, linking, outbox, remote, replacing, telling
from cases.servicenow.agreeing import Wanted, agree
from cases.servicenow.case import state_of
from cases.servicenow.correlation import correlation_id
from cases.servicenow.history import touches
from cases.servicenow.mapping import RAW_FIELDS, STEPS, ProfileRules
from cases.servicenow.people import with_people
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record
from soar.lib import clock
from soar.lib.context import caused_by
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
AT_ONCE = 50
MOST_ATTEMPTS = 12  # of a change that fails while others are sent
NOT_FOUND, FORBIDDEN, UNKNOWN_VALUE = 404, 403, 422
GONE = "ServiceNow has no such record, or hides it from the integration user."
__all__ = ["agree", "preview", "work"]


class Gone(Exception):
    """The ticket is missing or hidden."""


def work(link_id: int) -> None:
    """Send what waits for this link, unless somebody else is at it."""
    rows = TicketLink.objects.filter(pk=link_id, state__in=outbox.WORKING)
    link = rows.select_related("instance").first()
    if link is None or health.held(link.instance) or _next(link_id) is None:
        return
    lease = holding.take(rows)
    if lease is None:
        return
    try:
        with holding.Held(TicketLink, link_id, lease):
            _drain(link_id, lease)
    finally:
        leases.end(TicketLink, link_id, lease)
    # Whoever rang while the lease was held has gone away again.
    if _next(link_id) is not None and not health.held(link.instance):
        enqueue(outbox.TASK, link_id)


def preview(incident: Incident, profile: TicketProfile) -> dict[str, Any]:
    """The exact request that would make the ticket of an incident; nothing is sent or written (2).
    Raises ConnectorError."""
    connector = remote.connector_of(profile.instance)
    case = state_of(incident)
    rules = with_people(ProfileRules.of(profile), connector, case, {})
    ident = correlation_id(profile.instance.installation, incident.pk, incident.created_at)
    values, _fields = creating.request(incident, profile, rules, case, ident)
    return connector.preview_create(profile.table, values)


def _next(link_id: int) -> TicketChange | None:
    """The first open row, if it is to be sent now."""
    rows = TicketChange.objects.filter(link=link_id, state__in=OPEN_CHANGES, link__state__in=outbox.WORKING)
    change = rows.select_related("evidence").order_by("pk").first()
    if change is None or change.state == ChangeState.FAILED or change.due_at > clock.now():
        return None
    return change


def _drain(link_id: int, lease: uuid.UUID) -> None:
    for _ in range(AT_ONCE):
        change = _next(link_id)
        link = TicketLink.objects.select_related("instance", "profile", "incident").get(pk=link_id)
        if change is None or health.held(link.instance) or not holding.keep(TicketLink, link_id, lease):
            return
        rows = TicketChange.objects.filter(pk=change.pk, state__in=(ChangeState.WAITING, ChangeState.SENDING))
        if not rows.update(state=ChangeState.SENDING, attempts=F("attempts") + 1):
            continue
        change.attempts, change.link = change.attempts + 1, link
        if not _one(link, change):
            return


def _one(link: TicketLink, change: TicketChange) -> bool:
    """Send one row. Returns whether the next one may go."""
    with caused_by(change.cause):
        return _sent(link, change)


def _sent(link: TicketLink, change: TicketChange) -> bool:
    try:
        connector = remote.connector_of(link.instance, change.cause)
        said = HANDLERS[change.kind](link, change, connector)
    except Gone:
        _gone(link.pk)
        return False
    except ConnectorError as error:
        return _failed(link, change, error)
    except Exception as error:
        logger.exception("Change %s for a ticket failed", change.pk)
        unknown = ConnectorError(
            f"Soar itself failed: {type(error).__name__}.", permanent=change.attempts > 3, status=500
        )
        return _failed(link, change, unknown)
    rows = TicketChange.objects.filter(pk=change.pk, state=ChangeState.SENDING)
    rows.update(state=ChangeState.DONE, said=said[:4000], hint="", finished_at=clock.now())
    health.out_ok(link.instance)
    remote.measure(link.instance, connector)
    return True


def _fields(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    """Compare both sides and write what is to be written. Raises ConnectorError, Gone."""
    record = connector.record(link.table, link.sys_id, RAW_FIELDS)
    if record is None:
        raise Gone
    _accept_skipped(link)
    rules = with_people(ProfileRules.of(link.profile), connector, state_of(link.incident), record.fields)
    told = touches(link, record, rules, connector)
    wanted = agree(link.pk, record, rules, told, take=not link.instance.in_paused, send=True)
    if not wanted.values:
        return "Both sides agree."
    # Kept for the case that somebody lets it go.
    change.detail = {**change.detail, "fields": wanted.fields, "sent": wanted.values}
    TicketChange.objects.filter(pk=change.pk).update(detail=change.detail)
    _check_code(link, wanted, connector)
    answered, writes = _write(link, wanted, record, connector)
    stands = replacing.look(link, rules, wanted, record, answered, writes, connector)
    lost = agreeing.written(link.pk, wanted, stands)
    if lost:
        text = f"ServiceNow left {', '.join(lost)} as it was, without a word."
        raise ConnectorError(text, permanent=True, status=FORBIDDEN)
    between = answered.mod_count - record.mod_count - writes
    more = f" ServiceNow counts {between} more of others since the ticket was read." if between > 0 else ""
    return f"Wrote {', '.join(wanted.values)}.{more}"


def _write(link: TicketLink, wanted: Wanted, record: Record, connector: ServiceNow) -> tuple[Record, int]:
    """In one call; where the instance lets no state be left out, state by state. With the number of writes."""
    try:
        return connector.update(link.table, link.sys_id, wanted.values), 1
    except ConnectorError as error:
        steps = _steps(link.table, record.fields.get("state", ""), wanted.values.get("state", ""))
        if not (steps and error.permanent and error.status == FORBIDDEN):
            raise
    agreeing.goes_over(link.pk, wanted, [{"state": state} for state in steps])
    for state in steps:
        connector.update(link.table, link.sys_id, {"state": state})
    return connector.update(link.table, link.sys_id, wanted.values), len(steps) + 1


def _steps(table: str, now: str, wanted: str) -> list[str]:
    """The states between the two, in their order; none where nothing lies between."""
    order = STEPS.get(table, ())
    if now not in order or wanted not in order:
        return []
    return list(order[order.index(now) + 1 : order.index(wanted)])


def _check_code(link: TicketLink, wanted: Wanted, connector: ServiceNow) -> None:
    """A close code that the instance does not have is refused with the words of one that is missing."""
    code = wanted.values.get("close_code")
    if not code:
        return
    known = [one.value for one in connector.choices(link.table, "close_code")]
    if known and code not in known:
        text = f"ServiceNow has no close code {code!r} in {link.table}. It has: {', '.join(known)}."
        raise ConnectorError(text, permanent=True, status=UNKNOWN_VALUE)


def _accept_skipped(link: TicketLink) -> None:
    """What differs by a change that somebody let go is not sent again until one side changes."""
    rows = link.changes.filter(kind=outbox.FIELDS, state=ChangeState.SKIPPED, detail__has_key="fields")
    for row in rows.order_by("pk"):
        with transaction.atomic():
            _incident, locked = agreeing.locked(link.pk)
            agreeing.skipped(locked, row.detail["fields"])
            row.detail = {key: value for key, value in row.detail.items() if key != "fields"}
            row.save(update_fields=["detail"])


def _note(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    return _of_ticket(link, change, connector, telling.note)


def _attachment(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    return _of_ticket(link, change, connector, telling.attachment)


def _of_ticket(
    link: TicketLink,
    change: TicketChange,
    connector: ServiceNow,
    told: Callable[[TicketLink, TicketChange, ServiceNow], str],
) -> str:
    """A 404 is looked at once more: a ticket that is gone breaks the link, whatever was to be sent."""
    try:
        return told(link, change, connector)
    except ConnectorError as error:
        if error.status == NOT_FOUND and connector.record(link.table, link.sys_id, ()) is None:
            raise Gone from None
        raise


def _failed(link: TicketLink, change: TicketChange, error: ConnectorError) -> bool:
    """Another try later, or a person's turn. Returns whether the next row may go: never."""
    others = link.instance.out_ok_at is not None and link.instance.out_ok_at > change.created_at
    given_up = change.attempts >= MOST_ATTEMPTS and others and error.retry_after is None
    if health.of_instance(error) and not given_up:
        pause = health.out_failed(link.instance, error)
        # What may have arrived late is looked for late.
        pause = max(pause, timedelta(seconds=5)) if error.outcome_unknown else pause
        with transaction.atomic():
            _incident, change.link = agreeing.locked(link.pk)
            outbox.retried_later(change, pause, error.message)
        return False
    health.out_refused(link.instance, error)
    with transaction.atomic():
        incident, row = agreeing.locked(link.pk)
        change.state, change.said, change.hint = ChangeState.FAILED, error.message[:4000], health.hint(error)
        change.save(update_fields=["state", "said", "hint"])
        data = linking.named(row, change=change.kind, said=error.message[:500], row=change.pk)
        timeline.record("servicenow.failed", incident, Actor.system(), data=data)
    return False


def _gone(link_id: int) -> None:
    with transaction.atomic():
        incident, link = agreeing.locked(link_id)
        linking.broken(incident, link, GONE)


HANDLERS: dict[str, Callable[[TicketLink, TicketChange, ServiceNow], str]] = {
    outbox.CREATE: creating.create,
    outbox.FIELDS: _fields,
    outbox.NOTE: _note,
    outbox.ATTACHMENT: _attachment,
}
