"""Making a ticket, or finding the one to be linked: never twice, whatever answer was lost (servicenow.md 3, 8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction

from cases import timeline
from cases.actors import Actor
from cases.models import Incident, LinkState, TicketChange, TicketLink, TicketProfile
from cases.servicenow import outbox, remote
from cases.servicenow.agreeing import locked
from cases.servicenow.case import state_of
from cases.servicenow.conflicts import count_gaps
from cases.servicenow.linking import named
from cases.servicenow.mapping import (
    RAW_FIELDS,
    VALUES,
    CaseState,
    ProfileRules,
    close_of,
    missing_out,
    ours,
    outgoing,
    raw_of,
)
from cases.servicenow.people import with_people
from cases.servicenow.returning import carry_over
from cases.servicenow.templates import render
from soar.connectors.errors import ConnectorError
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record
from soar.lib import clock

DESCRIPTION_AT_MOST = 4000
CALLERS = {"sn_si_incident": "caller"}
BEFORE = timedelta(hours=1)


def create(link: TicketLink, change: TicketChange, connector: ServiceNow) -> str:
    """Look for the link's ticket, and make it if there is none. Raises ConnectorError."""
    if not link.created_there:
        return _attach(link, connector)
    found = connector.by_correlation(link.table, link.correlation_id, RAW_FIELDS)
    if found is not None:
        _linked(link.pk, found, fresh=False)
        return f"Found {found.number}, which was made before."
    case = state_of(link.incident)
    rules = with_people(ProfileRules.of(link.profile), connector, case, {})
    values, fields = request(link.incident, link.profile, rules, case, link.correlation_id)
    TicketLink.objects.filter(pk=link.pk).update(pending=fields)
    with transaction.atomic():
        count_gaps(link, missing_out(rules, case))
    made = connector.create(link.table, values)
    remote.remember_us(link.instance, made.updated_by)
    _linked(link.pk, made, fresh=True)
    return f"Made {made.number}."


def request(
    incident: Incident, profile: TicketProfile, rules: ProfileRules, case: CaseState, correlation_id: str
) -> tuple[dict[str, str], dict[str, Any]]:
    """The fields of a new ticket, and by field of ours what they stand for."""
    out = outgoing(rules, case)
    values = {
        "description": render(profile.description, case.words)[:DESCRIPTION_AT_MOST],
        **{name: render(text, case.words) for name, text in profile.extra.items()},
        "short_description": render(profile.short_description, case.words)[:160].strip(),
        **_given(profile),
    }
    for raw in out.values():
        values |= {key: value for key, value in raw.items() if value}
    end = close_of(rules, case)
    if case.ended and "status" in out and isinstance(end, dict):
        values |= end
    values |= {"correlation_id": correlation_id, "correlation_display": f"Soar {incident.number}"}
    mine = ours(rules, case)
    return values, {name: {"ours": mine[name], "theirs": raw} for name, raw in out.items()}


def _given(profile: TicketProfile) -> dict[str, str]:
    """What the profile says whatever the incident is."""
    caller = CALLERS.get(profile.table, "caller_id")
    given = {
        caller: profile.caller.get("value"),
        "assignment_group": profile.assignment_group.get("value"),
        "assigned_to": profile.assigned_to.get("value"),
        "category": profile.category,
    }
    return {name: str(value) for name, value in given.items() if value}


def _attach(link: TicketLink, connector: ServiceNow) -> str:
    found = remote.by_number(connector, link.table, link.number, RAW_FIELDS)
    if found is None:
        text = f"ServiceNow has no ticket {link.number} in {link.table}, or hides it from the integration user."
        raise ConnectorError(text, permanent=True, status=404)
    _linked(link.pk, found, fresh=False)
    return f"Linked {found.number}."


def _linked(link_id: int, record: Record, *, fresh: bool) -> None:
    """The ticket is there. Raises ConnectorError when another incident is linked with it."""
    try:
        with transaction.atomic():
            incident, link = locked(link_id)
            if link.state != LinkState.CREATING:
                return
            link.sys_id, link.number, link.state = record.sys_id, record.number, LinkState.LINKED
            link.theirs = {name: record.fields[name] for name in RAW_FIELDS if name in record.fields}
            if fresh:
                link.seen_mod_count, link.seen_updated_on = record.mod_count, record.updated_on
            if link.created_there:
                link.base, link.journal_until = _base(link, record, fresh=fresh), record.updated_on - BEFORE
            else:
                link.ours_correlation = False
                carry_over(link)
            if fresh:
                link.pending = {}
            link.last_out_at = clock.now()
            link.save()
            timeline.record("servicenow.linked", incident, Actor.system(), data=named(link, created=link.created_there))
            if not fresh or any(name not in link.base or "ours" not in link.base[name] for name in VALUES):
                outbox.add(link, outbox.FIELDS)
    except IntegrityError:
        text = f"{record.number} is linked with another incident already."
        raise ConnectorError(text, permanent=True, status=409) from None


def _base(link: TicketLink, record: Record, *, fresh: bool) -> dict[str, Any]:
    """What both sides agreed on when the ticket was made: what was sent and stands there, and for what has no
    counterpart, that it was not said. In a ticket that was found, what differs from that was changed there since; in a
    new one ServiceNow did not take it, so that it counts as changed here."""
    base: dict[str, Any] = {}
    for name in VALUES:
        theirs, sent = raw_of(name, record.fields), link.pending.get(name)
        if sent is None:
            if fresh:
                base[name] = {"ours": NOTHING.get(name, ""), "theirs": theirs}
            continue
        # Nobody is not sent: the profile says who it is then.
        said = {key: value or theirs.get(key, "") for key, value in sent["theirs"].items()}
        if all(theirs.get(key, value) == value for key, value in said.items()):
            base[name] = {"ours": sent["ours"], "theirs": theirs}
        else:
            base[name] = {"theirs": theirs} if fresh else {"ours": sent["ours"], "theirs": said}
    return base


NOTHING: dict[str, Any] = {"determination": {"determination": "unknown", "notes": ""}}
