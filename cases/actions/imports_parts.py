"""What is inside an imported incident: alerts, observables, assets, tasks, evidence, and what stood in its history."""

from __future__ import annotations

from typing import Any

from cases import timeline
from cases.actions.base import check_worker, person, save
from cases.actions.evidence import keep_received
from cases.actions.imports_alerts import asset_ids, make_alert
from cases.actions.observables import observable_of
from cases.actors import Actor
from cases.choices import TaskStatus, Tlp
from cases.errors import CaseError
from cases.importing.plan import EntryPlan, EvidencePlan, Plan, TaskPlan
from cases.models import Alert, Incident, IncidentAsset, IncidentObservable, IncidentTask
from cases.models.task import TASKS_AT_MOST
from soar.lib import clock

ENTRIES_AT_MOST, OBSERVABLES_AT_MOST, ALERTS_AT_MOST = 20_000, 5_000, 1_000


class Inside:
    """Fills one new incident, in the caller's transaction; what cannot come is told to the plan's report."""

    def __init__(self, actor: Actor, incident: Incident, plan: Plan, files: Any = None) -> None:
        self.actor, self.incident, self.plan, self.files = actor, incident, plan, files
        self.report = plan.report
        self.alerts: dict[str, Alert] = {}

    def fill(self) -> None:
        """All of it."""
        self._alerts()
        self._observables()
        self._assets()
        self._tasks()
        for piece in self.plan.evidence:
            self._evidence(piece)
        self._entries()

    def _alerts(self) -> None:
        for one in self.plan.alerts[:ALERTS_AT_MOST]:
            self.alerts[one.ref] = make_alert(self.incident, one, self.report)
        if over := self.plan.alerts[ALERTS_AT_MOST:]:
            self.report.leave(f"{len(over)} alerts", f"an incident has at most {ALERTS_AT_MOST:,}")
        if self.alerts:
            self.report.came["alerts"] += len(self.alerts)
            self.incident.alert_count = len(self.alerts)
            save(self.incident, "alert_count")

    def _observables(self) -> None:
        rows: dict[int, IncidentObservable] = {}
        for one in self.plan.observables[:OBSERVABLES_AT_MOST]:
            try:
                row = observable_of(one.type, one.value)
            except CaseError as error:
                self.report.leave(f"observable {one.type} {one.value:.80}", error.message)
                continue
            rows[row.pk] = IncidentObservable(incident=self.incident, observable=row, added_by=self.actor.name[:200])
        if over := self.plan.observables[OBSERVABLES_AT_MOST:]:
            self.report.leave(f"{len(over)} observables", f"at most {OBSERVABLES_AT_MOST:,} are taken")
        IncidentObservable.objects.bulk_create(rows.values())
        if rows:
            self.report.came["observables"] += len(rows)

    def _assets(self) -> None:
        wanted = [
            {"name": one.name, "type": one.type, "system": one.system, "addresses": one.addresses}
            for one in self.plan.assets
        ]
        ids = asset_ids(wanted)
        IncidentAsset.objects.bulk_create(
            IncidentAsset(incident=self.incident, asset_id=pk, added_by=self.actor.name[:200]) for pk in sorted(ids)
        )
        if ids:
            self.report.came["assets"] += len(ids)
        if lost := len({one.name.lower() for one in self.plan.assets}) - len(ids):
            self.report.leave(f"{lost} assets", "their names are none of a machine here")

    def _tasks(self) -> None:
        rows = [self._task(number, one) for number, one in enumerate(self.plan.tasks[:TASKS_AT_MOST], 1)]
        IncidentTask.objects.bulk_create(rows)
        for one in self.plan.tasks[TASKS_AT_MOST:]:
            self.report.leave(f"task {one.title}", f"an incident has at most {TASKS_AT_MOST}")
        if rows:
            self.report.came["tasks"] += len(rows)

    def _task(self, position: int, one: TaskPlan) -> IncidentTask:
        now = clock.now()
        done_at = min(one.done_at, now) if one.done_at else None
        return IncidentTask(
            incident=self.incident, position=position, title=one.title[:300], description=one.description,
            due_at=one.due_at, required=one.required, assignee=self._worker(one),
            status=TaskStatus.DONE if done_at else TaskStatus.OPEN, done_at=done_at,
            done_by_name=one.done_by[:200] if done_at else "", created_at=now, updated_at=now,
        )  # fmt: skip

    def _worker(self, one: TaskPlan) -> Any:
        try:
            user = person(one.assignee)
            check_worker(self.incident, user)
        except CaseError as error:
            self.report.leave(f"assignee {one.assignee} of task {one.title}", error.message)
            return None
        return user

    def _evidence(self, piece: EvidencePlan) -> None:
        """A file, if the archive has its bytes and they are those that were exported."""
        if self.files is None or not piece.member:
            self.report.leave(
                f"evidence {piece.name} (SHA-256 {piece.sha256})", "its bytes did not come along: add it by hand"
            )
            return
        try:
            received = self.files.received(piece)
        except CaseError as error:
            self.report.leave(f"evidence {piece.name}", error.message)
            return
        try:
            if not self.report.dry_run:  # a file in the store is not rolled back
                about = {"description": piece.description, "tlp": piece.tlp if piece.tlp in Tlp.values else "amber"}
                keep_received(self.actor, self.incident, received, about)
            self.report.came["evidence"] += 1
        except CaseError as error:
            self.report.leave(f"evidence {piece.name}", error.message)
        finally:
            received.discard()

    def _entries(self) -> None:
        """Oldest first, each on the chain of its subject."""
        ordered = sorted(self.plan.entries, key=lambda one: one.at)
        for one in ordered[:ENTRIES_AT_MOST]:
            self._entry(one)
        if over := ordered[ENTRIES_AT_MOST:]:
            self.report.leave(f"{len(over)} entries of the history", f"at most {ENTRIES_AT_MOST:,} are taken")
        if ordered:
            self.report.came["entries of the history"] += min(len(ordered), ENTRIES_AT_MOST)

    def _entry(self, one: EntryPlan) -> None:
        subject = self.alerts.get(one.subject, self.incident)
        now = clock.now()
        data = {"product": self.plan.product, "author": one.author[:200], "was": one.was[:200]}
        if one.data:
            data["entry"] = one.data  # type: ignore[assignment]
        timeline.record(
            "imported.note" if one.note else "imported", subject, self.actor,
            text=one.text, data=data, occurred_at=min(one.at, now),
        )  # fmt: skip
