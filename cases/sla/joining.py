"""The clocks of incidents that are merged and split (casework.md 9, 11): nothing that is late becomes punctual by it.
Actions call this in their transaction, before ``clocks.follow`` reckons anew."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime

from cases.choices import IncidentStatus
from cases.models import Incident, IncidentClock, IncidentMove, IncidentPause
from cases.sla import calendar, clocks
from cases.sla.clocks import Clocks
from cases.sla.policy import CLOCKS

ACKNOWLEDGE = CLOCKS[0]


def waits_for_somebody(incident: Incident) -> int | None:
    """The id of the clock that waits for a person to take a locked incident; None if none does."""
    rows = IncidentClock.objects.filter(incident=incident, name=ACKNOWLEDGE, stopped_at=None)
    return rows.values_list("pk", flat=True).first()


def wait_again(incident: Incident, stopped: int) -> None:
    """The clock (its id) that a merge stopped by bringing owners runs again: the merge was undone, nobody owns the
    incident and nobody moved it on. One that a later round has followed stays as it is."""
    if IncidentStatus(incident.status) is not IncidentStatus.OPEN or incident.owner_rows.exists():
        return
    rounds = IncidentClock.objects.filter(incident=incident, name=ACKNOWLEDGE)
    if not rounds.filter(pk__gt=stopped).exists():
        rounds.filter(pk=stopped).update(stopped_at=None, seconds=None)


def take_earlier(source: Incident, target: Incident, only: Container[str] | None = None) -> dict[str, list[str]]:
    """Let the running clocks of ``target`` go on from where those of ``source`` are that are due sooner: as much
    working time is used of them, whatever pauses and hours either had. Returns by the clock's id when it began before,
    and begins now. ``only``: no clocks but these (ids)."""
    theirs, ours = clocks.read(source), clocks.read(target)
    running = {row.name: row for row in theirs.running()}
    kept = {}
    for row in ours.running():
        other = running.get(row.name)
        if other is None or not _sooner(other, row) or (only is not None and str(row.pk) not in only):
            continue
        begins = _beginning(theirs, ours, other)
        if begins < row.started_at:
            kept[str(row.pk)] = [row.started_at.isoformat(), begins.isoformat()]
            IncidentClock.objects.filter(pk=row.pk).update(started_at=begins)
    return kept


def give_back(target: Incident, kept: Mapping[str, list[str]], later: Sequence[IncidentMove]) -> None:
    """Let these clocks of ``target`` begin again where they did before ``take_earlier``, if they still run; and then
    where those of ``later`` merges do that are inside still. One that a later merge let begin earlier still, or
    stopped, goes as far back with the undo of that one. What is kept with ``later`` is set in memory."""
    free = set()
    for pk, (before, since) in kept.items():
        further = next((move.before["clocks"][pk] for move in later if _begun_at(move, pk) == since), None)
        if further is not None:
            further[0] = before
            continue
        rows = IncidentClock.objects.filter(pk=pk, incident=target, started_at=datetime.fromisoformat(since))
        running = rows.filter(stopped_at=None)
        if running.update(started_at=datetime.fromisoformat(before), due_at=None, warn_at=None):  # to be reckoned anew
            free.add(pk)
        elif (
            stopper := next((move for move in later if str(move.before.get("acknowledged")) == pk), None)
        ) is not None:
            stopper.before["clocks"] = {**stopper.before.get("clocks", {}), pk: [before, since]}
    for move in later if free else ():
        move.before["clocks"] = {**move.before.get("clocks", {}), **take_earlier(move.source, target, only=free)}


def _begun_at(move: IncidentMove, pk: str) -> str:
    """When a clock began before this merge; "" if it did nothing to it."""
    kept: list[str] = move.before.get("clocks", {}).get(pk, [""])
    return kept[0]


def carry_on(source: Incident, part: Incident) -> None:
    """Let the clocks of what was split off go on where those of the whole stand: what is late stays late, what was
    reached stays reached. What the whole has measured counts in figures once, for the whole. Pauses are the same."""
    rows = list(IncidentClock.objects.filter(incident=source).order_by("pk"))
    if not rows:  # older than clocks are: they are made of its history, and its own begin anew
        return
    IncidentClock.objects.filter(incident=part).delete()
    for row in rows:  # rounds that have ended too: a target that was missed in one of them was missed
        row.pk, row.incident, row.seconds = None, part, None
        row._state.adding = True
    IncidentClock.objects.bulk_create(rows)
    for pause in IncidentPause.objects.filter(incident=source).order_by("pk"):
        pause.pk, pause.incident = None, part
        pause._state.adding = True
        pause.save()
    part.sla_missed = source.sla_missed


def _sooner(one: IncidentClock, other: IncidentClock) -> bool:
    """A pause that lasts hides when a clock is due: such a one is not."""
    return one.due_at is not None and (other.due_at is None or one.due_at < other.due_at)


def _beginning(theirs: Clocks, ours: Clocks, row: IncidentClock) -> datetime:
    """When a clock of ours would have begun of which as much is used now as of this one of theirs."""
    hours, own = (one.policy.calendar(one.incident.severity) for one in (theirs, ours))
    used = calendar.elapsed(hours, row.started_at, theirs.now, theirs.pauses)
    return calendar.before(own, ours.now, used, ours.pauses) or row.started_at
