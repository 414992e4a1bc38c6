"""Bringing an incident and its ticket into agreement, after the ticket was read: one transaction, no remote call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction

from cases.models import Incident, LinkState, TicketLink
from cases.servicenow import incoming
from cases.servicenow.case import state_of
from cases.servicenow.conflicts import Account, count_gaps
from cases.servicenow.history import Touch
from cases.servicenow.mapping import (
    RAW_FIELDS,
    VALUES,
    CaseState,
    ProfileRules,
    agrees,
    close_of,
    missing_in,
    missing_out,
    ours,
    outgoing,
    raw_of,
    ticket_ended,
)
from cases.servicenow.mapping import incoming as read
from cases.servicenow.merge import Decision, Step, agreed, arrived, plan
from cases.servicenow.rules import Raw
from soar.connectors.servicenow.records import Record
from soar.lib import clock


@dataclass(slots=True)
class Wanted:
    """What is to be written to the ticket: ``values`` by its fields, and by field of ours what that stands for."""

    values: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, Any]] = field(default_factory=dict)


def locked(link_id: int) -> tuple[Incident, TicketLink]:
    """The incident and the link, locked in the order that everybody keeps. The caller's transaction."""
    incident_id = TicketLink.objects.values_list("incident", flat=True).get(pk=link_id)
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=incident_id)
    rows = TicketLink.objects.select_for_update(of=("self",)).select_related("instance", "profile")
    link = rows.get(pk=link_id)
    if link.incident_id != incident.pk:  # a merge took it along while the lock was waited for
        incident = Incident.objects.select_for_update(of=("self",)).get(pk=link.incident_id)
    return incident, link


@transaction.atomic
def agree(
    link_id: int, record: Record, rules: ProfileRules, touches: Mapping[str, Touch], *, take: bool, send: bool
) -> Wanted:
    """Do to the incident what changed at the ticket (with ``take``), write conflicts down, and tell what is to be
    written there. With ``send`` that is kept as pending: it is about to be written. ``touches``: see history."""
    incident, link = locked(link_id)
    if link.state != LinkState.LINKED:
        return Wanted()
    return _Meeting(incident, link, record, rules, touches, take=take).hold(send=send)


class _Meeting:
    """One look at both sides, under their locks."""

    def __init__(
        self,
        incident: Incident,
        link: TicketLink,
        record: Record,
        rules: ProfileRules,
        touches: Mapping[str, Touch],
        *,
        take: bool,
    ) -> None:
        self.incident, self.link, self.record, self.rules, self.take = incident, link, record, rules, take
        self.raw = {name: record.fields[name] for name in RAW_FIELDS if name in record.fields}
        self.base: dict[str, Any] = arrived(link.base, link.pending, self.raw)
        self.case: CaseState = state_of(incident)
        self.account = Account(incident, link, rules, record, touches)

    def hold(self, *, send: bool) -> Wanted:
        self._settle_open()
        if self.take:
            self._take()
        wanted = self._rest()
        link = self.link
        link.base, link.theirs = self.base, self.raw
        # What did not arrive yet may still do so, until something else is written.
        link.pending = wanted.fields if send else self._not_arrived()
        link.save(update_fields=["base", "pending", "theirs", "last_in_at"])
        return wanted

    def _not_arrived(self) -> dict[str, Any]:
        found = arrived({}, self.link.pending, self.raw)
        return {name: one for name, one in self.link.pending.items() if name not in found}

    def _plan(self) -> dict[str, Decision]:
        found = plan(self.rules, self.case, self.base, self.raw, self.account.newer)
        return {name: one for name, one in found.items() if name not in self.account.open or self._blocked(name)}

    def _blocked(self, name: str) -> bool:
        """Whether it is no decision that is missing: theirs could not be set here, which may be otherwise by now."""
        return bool(self.account.open[name].theirs.get("why"))

    def _settle_open(self) -> None:
        for name, row in list(self.account.open.items()):
            if name in VALUES and agrees(self.rules, self.case, name, self.raw):
                changed = ours(self.rules, self.case)[name] != row.ours.get("value")
                self.base[name] = agreed(self.rules, self.case, name, self.raw)
                self.account.over(name, "theirs" if changed else "ours")

    def _take(self) -> None:
        """What only they changed, and what they win."""
        steps = self._plan()
        taken = [name for name, one in steps.items() if one.step is Step.TAKE]
        if not taken:
            return
        for name in taken:
            if steps[name].conflict and name not in self.account.open:
                self.account.tell(name, self.case, self.rules.winner(name), "theirs")
        values = self._values(taken)
        actor = incoming.actor_of(self.record.updated_by)
        problems = incoming.apply(self.incident, self.link, actor, values)
        self.incident = Incident.objects.select_for_update(of=("self",)).get(pk=self.incident.pk)
        self.account.incident = self.incident
        before, self.case = self.case, state_of(self.incident)
        self.link.last_in_at = clock.now()
        for name in taken:
            self._taken(name, before, problems.get(name, ""))

    def _values(self, taken: list[str]) -> dict[str, Any]:
        """How the ticket ended goes with its end where the incident says nothing of its own."""
        found = read(self.rules, self.raw, self.case)
        values = {name: found[name] for name in taken}
        if "status" in values and "determination" in found and self.case.determination == "unknown":
            values["determination"] = found["determination"]
        return values

    def _taken(self, name: str, before: CaseState, problem: str) -> None:
        if problem:
            self.account.tell(name, before, "ask", "", problem)
            return
        self.base[name] = agreed(self.rules, self.case, name, self.raw)
        if name in self.account.open:
            self.account.over(name, "theirs")

    def _rest(self) -> Wanted:
        """What is to be written, after theirs was taken."""
        wanted = Wanted()
        held: set[str] = set()
        for name, one in self._plan().items():
            if one.step is Step.SETTLE:
                self.base[name] = agreed(self.rules, self.case, name, self.raw)
            elif one.step is Step.ASK and self.take:
                self.account.tell(name, self.case, "ask", "")
            elif one.step in (Step.HOLD_IN, Step.HOLD_OUT):
                held.add(name)
            elif one.step is Step.SEND and name not in self.account.open:
                self._send(name, one, wanted)
        self._count(held)
        return wanted

    def _send(self, name: str, one: Decision, wanted: Wanted) -> None:
        if one.conflict:
            if not self.take:
                return
            self.account.tell(name, self.case, self.rules.winner(name), "ours")
            # From now on only ours has changed: the conflict is told once, however often sending is tried.
            self.base[name] = {**(self.base.get(name) or {}), "theirs": raw_of(name, self.raw)}
        raw = outgoing(self.rules, self.case).get(name)
        if raw is None:
            return
        wanted.values |= raw
        wanted.fields[name] = {"ours": ours(self.rules, self.case)[name], "theirs": raw}
        if name == "status" and self.case.ended and not ticket_ended(self.rules, self.raw):
            end = close_of(self.rules, self.case)
            if isinstance(end, dict):
                wanted.values |= end

    def _count(self, held: set[str]) -> None:
        gaps = {**missing_in(self.rules, self.raw), **missing_out(self.rules, self.case)}
        count_gaps(self.link, {name: gap for name, gap in gaps.items() if name in held})


@transaction.atomic
def goes_over(link_id: int, wanted: Wanted, via: list[dict[str, str]]) -> None:
    """The status is written state by state: if that breaks off, the one that stands there is known for ours."""
    _incident, link = locked(link_id)
    if "status" in wanted.fields:
        wanted.fields["status"] = {**wanted.fields["status"], "via": via}
        link.pending = wanted.fields
        link.save(update_fields=["pending"])


@transaction.atomic
def replaced(link_id: int, before: Record, rules: ProfileRules, lost: Mapping[str, Raw], why: str) -> None:
    """Our write has replaced values that nobody here had seen: people read both. The caller writes ours down."""
    incident, link = locked(link_id)
    for name, raw in lost.items():
        seen = replace(before, fields={**before.fields, **raw})
        account = Account(incident, link, rules, seen, {})
        if name not in account.open:
            account.tell(name, state_of(incident), rules.winner(name), "ours", why)


@transaction.atomic
def written(link_id: int, wanted: Wanted, record: Record) -> list[str]:
    """Both sides have what was written: the base moves. Returns the names of ticket fields that ServiceNow left as
    they were in silence; for what they tell, the base stays."""
    _incident, link = locked(link_id)
    lost: list[str] = []
    for name, one in wanted.fields.items():
        missing = [key for key, value in one["theirs"].items() if _differs(record.fields.get(key), value)]
        lost += missing
        if not missing:
            link.base[name] = {"ours": one["ours"], "theirs": raw_of(name, record.fields)}
    link.pending, link.last_out_at = {}, clock.now()
    link.theirs = {**link.theirs, **{key: record.fields[key] for key in RAW_FIELDS if key in record.fields}}
    seen_ours(link, record)
    link.save(update_fields=["base", "pending", "theirs", "last_out_at", "seen_mod_count", "seen_updated_on"])
    return lost


def seen_ours(link: TicketLink, record: Record) -> None:
    """Our write is seen if it came right after what was seen; else somebody else wrote too, and the poll looks."""
    if record.mod_count == link.seen_mod_count + 1:
        link.seen_mod_count, link.seen_updated_on = record.mod_count, record.updated_on


def skipped(link: TicketLink, differing: dict[str, Any]) -> None:
    """Somebody let a change of fields go: what differs by it stays so until one side changes once more. The caller
    holds the locks."""
    for name, one in differing.items():
        link.base[name] = {"ours": one["ours"], "theirs": raw_of(name, link.theirs)}
    link.save(update_fields=["base"])


def _differs(there: str | None, sent: str) -> bool:
    return there is not None and there.strip() != sent.strip()
