"""What sys_audit tells of single fields of a ticket, where the integration user may read it: when and by whom a field
was changed that both sides changed, and what our own write has overwritten unseen (servicenow.md 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cases.models import TicketLink
from cases.servicenow.case import state_of
from cases.servicenow.mapping import RAW_FIELDS, ProfileRules
from cases.servicenow.merge import arrived, plan
from cases.servicenow.remote import our_names
from cases.servicenow.rules import RAW, Raw
from soar.connectors.servicenow.audit import FieldChange
from soar.connectors.servicenow.connector import ServiceNow
from soar.connectors.servicenow.records import Record

BEFORE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Touch:
    """Somebody there changed a field, at a moment of their clock."""

    at: datetime
    by: str


def touches(link: TicketLink, record: Record, rules: ProfileRules, connector: ServiceNow) -> dict[str, Touch]:
    """By field that both sides changed and whose rule is the newest: their last change of it. One request, and only
    where there is such a field. Raises ConnectorError."""
    raw = {name: record.fields[name] for name in RAW_FIELDS if name in record.fields}
    asked: list[str] = []
    plan(rules, state_of(link.incident), arrived(link.base, link.pending, raw), raw, lambda name: _noted(asked, name))
    if not asked:
        return {}
    since = min(link.seen_updated_on or link.created_at, record.updated_on) - BEFORE
    changes = connector.history(link.table, link.sys_id, _fields(asked), since) or []
    names = our_names(link.instance, connector)
    theirs = [one for one in changes if one.by.casefold() not in names]
    return {name: touch for name in asked if (touch := _last(theirs, RAW[name]))}


def overwritten(
    link: TicketLink, sent: Iterable[str], before: Record, after: Record, writes: int, connector: ServiceNow
) -> dict[str, Raw]:
    """By field of ours, what somebody wrote between our look (``before``) and our write (``after``), and our write has
    replaced: the ticket's fields as they would stand there without it. {} for nothing, and where nothing tells.
    ``writes``: how many were our own. Raises ConnectorError."""
    names = list(sent)
    if after.mod_count - before.mod_count <= writes:
        return {}
    changes = connector.history(link.table, link.sys_id, _fields(names), before.updated_on - BEFORE) or []
    lost = _replaced([one for one in changes if one.count > before.mod_count], before, after)
    return {
        name: {key: lost.get(key, before.fields.get(key, "")) for key in RAW[name] if key != "priority"}
        for name in names
        if lost.keys() & set(RAW[name])
    }


def _replaced(changes: list[FieldChange], before: Record, after: Record) -> Mapping[str, str]:
    """By field of the ticket, what stood there right before the last change, where we had not seen that."""
    last = {one.field: one for one in changes}  # in order
    return {
        field: one.old
        for field, one in last.items()
        if one.old != before.fields.get(field, "") and one.new == after.fields.get(field) and field != "priority"
    }


def _fields(names: Iterable[str]) -> list[str]:
    return [key for name in names for key in RAW[name]]


def _last(changes: list[FieldChange], fields: Iterable[str]) -> Touch | None:
    of = [one for one in changes if one.field in fields]
    return Touch(of[-1].at, of[-1].by) if of else None


def _noted(names: list[str], name: str) -> bool:
    names.append(name)
    return False
