"""What the timeline says of a run, in the transaction of the change. A dry run says nothing."""

from __future__ import annotations

from typing import Any

from cases import timeline
from cases.actors import Actor
from cases.merged import locked_end
from cases.models import Alert, Incident
from playbooks.models import Run
from soar.lib.database import prepared

Subject = Alert | Incident


def lock_subject(run: Run) -> Subject | None:
    """The run's alert or incident with its row lock; always taken before the run's own row."""
    if run.alert_id:
        # What is joined to a row that was waited for is as it was before the wait: only the source never changes.
        rows = Alert.objects.select_for_update(of=("self",)).select_related("source")
        return rows.get(pk=run.alert_id)
    if run.incident_id:
        # A run that began on an incident which was merged since tells of itself where that went.
        if (incident := locked_end(run.incident_id)) is None:
            raise Incident.DoesNotExist(f"INC-{run.incident_id} is gone.")
        return incident
    return None


def relock(subject: Subject | None) -> Subject | None:
    """Lock the row of a subject that is loaded already, and read where its timeline ends: all that writing needs."""
    if subject is None:
        return None
    table = subject._meta.db_table
    statement = f"SELECT timeline_count, timeline_head FROM {table} WHERE id = %s FOR UPDATE"  # noqa: S608  our own name
    with prepared() as cursor:
        row = cursor.execute(statement, [subject.pk], prepare=True).fetchone()
    if row is None:
        raise type(subject).DoesNotExist(f"{subject.number} is gone.")
    subject.timeline_count, subject.timeline_head = row
    return subject


def announce(kind: str, run: Run, subject: Subject | None, *, text: str = "", **more: Any) -> None:
    """Write run.started, run.finished, run.needs_decision on what the run works on."""
    if subject is not None and not run.dry_run:
        data = _data(run, more)
        timeline.record(kind, subject, actor_of(run), text=text[:2000], data=data, cause=run.cause)


def announcement(kind: str, run: Run, subject: Subject, *, text: str = "", **more: Any) -> dict[str, Any]:
    """The same as parameters of a statement that does more than that (cases.timeline_append)."""
    data = _data(run, more)
    entry = timeline.draft(kind, subject, actor_of(run), text=text[:2000], data=data, cause=run.cause)
    return timeline.values_for(entry, subject)


def _data(run: Run, more: dict[str, Any]) -> dict[str, Any]:
    data = {"playbook": run.playbook.name, "playbook_id": run.playbook_id, "trigger": run.trigger, **more}
    if run.sequence and run.sequence.total > 1:
        data |= {"position": run.position, "total": run.sequence.total}
    return data


def skipped(subject: Subject, playbook: str, reason: str, **more: Any) -> None:
    """Write that a playbook would have run, and why it did not."""
    timeline.record("run.skipped", subject, Actor.system(), text=reason, data={"playbook": playbook, **more})


def actor_of(run: Run) -> Actor:
    """The playbook, with the rights of whoever the run acts for (rulings 8)."""
    return Actor.playbook(run.playbook.name, run.pk, run.acting_user)
