"""The clocks of an incident follow its state (casework.md 11). Actions call this in their transaction, after each
change of status, severity, owners or pause; the rows and the incident's own columns are then as they have to be.

    acknowledge   until a person takes it: owns it, or moves it on
    contain       until it is contained or beyond
    resolve       until it is resolved or closed

A reopening begins another round of what is open again; a containment that is lost begins that clock anew. What an
incident that went into another one has measured does not count, and its clocks are left as they are for an undo: what
was late in them is so in the other one (``cases.sla.joining``). An imported incident has none: when it was taken and
how long it took is history of elsewhere, and no work of this portal that its figures could tell of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import F, Q

from cases.choices import IncidentStatus
from cases.merged import absorbed
from cases.models import Incident, IncidentClock, IncidentPause
from cases.sla import calendar, current
from cases.sla.calendar import NEVER, Span
from cases.sla.policy import CLOCKS, Policy

COLUMNS = ("sla_due_at", "sla_risk_at", "sla_paused_at", "sla_missed", "sla_version")
ACKNOWLEDGE, CONTAIN, RESOLVE = CLOCKS
WITHOUT = 2_147_483_647  # as sla_version: later than every policy, so that nothing is ever reckoned by one
_RECKONED = ("target", "warn_at", "due_at", "stopped_at", "seconds", "risk_told_at", "breach_told_at")


@dataclass(slots=True)
class Clocks:
    """The newest round of each clock of one incident, its pauses, and by what they are reckoned."""

    incident: Incident
    policy: Policy
    now: datetime
    rows: dict[str, IncidentClock] = field(default_factory=dict)
    changed: list[IncidentClock] = field(default_factory=list)  # were running when they were read
    pauses: list[Span] = field(default_factory=list)
    pause: IncidentPause | None = None  # the one that lasts

    def reckon(self, row: IncidentClock) -> None:
        """When a running clock is at risk and due by the policy and the severity of now. What was told of a moment that
        has gone into the future will be told again."""
        target = self.policy.target(self.incident.severity, row.name)
        about = self.policy.calendar(self.incident.severity)
        row.target = None if target is None else int(target / timedelta(minutes=1))
        row.due_at = row.warn_at = None
        if target is not None:
            row.due_at = calendar.due(about, row.started_at, target, self.pauses)
            row.warn_at = calendar.due(about, row.started_at, self.policy.warning(target), self.pauses)
        if row.due_at is None or row.due_at > self.now:
            row.breach_told_at = None
        if row.warn_at is None or row.warn_at > self.now:
            row.risk_told_at = None

    def stop(self, row: IncidentClock, at: datetime, *, measured: bool = True) -> None:
        """The clock ends; without ``measured`` nobody did what it measures."""
        row.stopped_at = max(at, row.started_at)
        taken = calendar.elapsed(
            self.policy.calendar(self.incident.severity), row.started_at, row.stopped_at, self.pauses
        )
        row.seconds = taken.total_seconds() if measured else None
        if row.due_at is None and row.target is not None:  # hidden by a pause that lasts: it has not come before now
            row.due_at = self._due_if_paused_until(row)

    def _due_if_paused_until(self, row: IncidentClock) -> datetime | None:
        """When a clock that stops while it is paused would be due, had the pause ended with it: it was in time."""
        pauses = [(begin, min(end, row.stopped_at or end)) for begin, end in self.pauses]
        target = timedelta(minutes=row.target or 0)
        return calendar.due(self.policy.calendar(self.incident.severity), row.started_at, target, pauses)

    def end_pause(self) -> None:
        """The pause that lasts is over: the incident has ended."""
        if self.pause is not None:
            self.pause.ended_at = max(self.now, self.pause.started_at)
            self.pause.save(update_fields=["ended_at"])
            self.pause = None

    def begin(self, name: str, at: datetime) -> None:
        """Another round of a clock, or its first."""
        before = self.rows.get(name)
        number = before.round + 1 if before else 1
        row = IncidentClock(incident=self.incident, name=name, round=number, started_at=at)
        self.rows[name] = row
        self.reckon(row)

    def silence(self) -> None:
        """Of what is past already nobody is reminded: the list shows it."""
        for row in self.running():
            if row.due_at is not None and row.due_at <= self.now:
                row.breach_told_at = row.breach_told_at or self.now
            if row.warn_at is not None and row.warn_at <= self.now:
                row.risk_told_at = row.risk_told_at or self.now

    def running(self) -> list[IncidentClock]:
        """Those that have not stopped."""
        return [row for row in self.rows.values() if row.stopped_at is None]

    def save(self) -> None:
        """Write the rows, and on the incident what they come to."""
        IncidentClock.objects.bulk_create(row for row in self.rows.values() if row.pk is None)
        IncidentClock.objects.bulk_update(self.changed, _RECKONED)
        missed = any(late(row) for row in self.rows.values()) or _missed_inside(self.incident)
        self.incident.sla_missed = missed or _missed_before(self.incident, self.rows.values())
        self.incident.sla_due_at = _first(row.due_at for row in self.running())
        self.incident.sla_risk_at = _first(row.warn_at for row in self.running())
        self.incident.sla_paused_at = self.pause.started_at if self.pause else None
        self.incident.sla_version = self.policy.version
        self.incident.save(update_fields=COLUMNS)


def late(row: IncidentClock) -> bool:
    """Whether a clock stopped after it was due."""
    return row.stopped_at is not None and row.due_at is not None and row.stopped_at > row.due_at


def start(incident: Incident, *, taken: bool = False) -> None:
    """Begin the clocks of an incident that was opened just now, in the transaction that opened it; ``taken`` by its
    owners already."""
    clocks = Clocks(incident, *current.policy_and_time())
    for name in CLOCKS:
        clocks.begin(name, clocks.now)
    if taken:
        clocks.stop(clocks.rows[ACKNOWLEDGE], clocks.now)
    clocks.save()


def follow(incident: Incident, *, taken: bool = False, reminding: bool = True) -> None:
    """Bring the clocks of a locked incident to its present state. ``taken``: a person owns it now or has moved it on.
    Without ``reminding`` nobody is told of what is late by now: for changes of the policy. An incident that has no
    clocks yet gets them from what is known of it."""
    if incident.merged_at is not None or incident.sla_version == WITHOUT:
        return
    clocks = read(incident)
    if not clocks.rows:
        _from_history(clocks)
        reminding = False
    _move(clocks, taken)
    for row in clocks.running():
        clocks.reckon(row)
    if not reminding:
        clocks.silence()
    clocks.save()


def read(incident: Incident) -> Clocks:
    """The newest rounds of an incident's clocks, with its pauses and the policy of now."""
    clocks = Clocks(incident, *current.policy_and_time())
    for row in IncidentClock.objects.filter(incident=incident).order_by("round"):
        clocks.rows[row.name] = row
    clocks.changed = clocks.running()
    for pause in IncidentPause.objects.filter(incident=incident):
        clocks.pauses.append((pause.started_at, pause.ended_at or NEVER))
        clocks.pause = pause if pause.ended_at is None else None
    return clocks


def _move(clocks: Clocks, taken: bool) -> None:
    """Stop what is reached, begin what is open again."""
    status = IncidentStatus(clocks.incident.status)
    reached = {CONTAIN: status >= IncidentStatus.CONTAINED, RESOLVE: not status.is_open}
    again = False
    for name, done in reached.items():
        row = clocks.rows[name]
        if done and row.stopped_at is None:
            clocks.stop(row, clocks.now)
        elif not done and row.stopped_at is not None:
            clocks.begin(name, clocks.now)
            again = again or name == RESOLVE
    if not status.is_open:
        clocks.end_pause()
    _acknowledge(clocks, status, taken, again)


def _acknowledge(clocks: Clocks, status: IncidentStatus, taken: bool, again: bool) -> None:
    row = clocks.rows[ACKNOWLEDGE]
    if row.stopped_at is None and (taken or not status.is_open):
        clocks.stop(row, clocks.now, measured=taken)
        return
    waits = row.stopped_at is not None and again and not taken and status is IncidentStatus.OPEN
    if waits and not clocks.incident.owner_rows.exists():
        clocks.begin(ACKNOWLEDGE, clocks.now)


def _from_history(clocks: Clocks) -> None:
    """The clocks of an incident that is older than they are: from its own times and its owners'."""
    incident = clocks.incident
    for name in CLOCKS:
        clocks.begin(name, incident.created_at)
    owned = incident.owner_rows.order_by("added_at").values_list("added_at", flat=True).first()
    status = IncidentStatus(incident.status)
    last = incident.updated_at
    ended = None if status.is_open else incident.resolved_at or incident.closed_at or last
    contained = ended or last if status >= IncidentStatus.CONTAINED else None
    contained = incident.contained_at or contained if contained else None
    stops: Sequence[tuple[str, datetime | None]] = (
        (ACKNOWLEDGE, owned or contained or (last if status else None)),
        (CONTAIN, contained),
        (RESOLVE, ended),
    )
    for name, at in stops:
        if at is not None:
            clocks.stop(clocks.rows[name], at)


def _first(moments: Iterable[datetime | None]) -> datetime:
    return min((moment for moment in moments if moment is not None), default=NEVER)


def _missed_inside(incident: Incident) -> bool:
    """Whether an incident that went into this one had missed a target, or was overdue when it went."""
    husks = Incident.objects.filter(pk__in=absorbed(incident))
    overdue = Q(clocks__stopped_at=None, clocks__due_at__lt=F("merged_at"))
    return bool(incident.merged_count) and husks.filter(Q(sla_missed=True) | overdue).exists()


def _missed_before(incident: Incident, newest: Iterable[IncidentClock]) -> bool:
    """Whether a round before these was late."""
    if not incident.sla_missed or all(row.round == 1 for row in newest):
        return False
    return any(late(row) for row in IncidentClock.objects.filter(incident=incident).exclude(stopped_at=None))
