"""Telling people that a task of theirs is due. There is no entry of the timeline for that: time alone does it."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import BooleanField

from cases.choices import IncidentStatus
from cases.models import Incident, IncidentTask, Notification
from cases.notifications import choices, writing
from cases.notifications.writing import Receiver
from soar.connectors import notify
from soar.lib import clock

KIND = "task.due"
LOOK_BACK = timedelta(days=1)  # what was due while the portal was away for longer is in the list of late tasks
AT_ONCE = 500
# A task that gets another time or another assignee is told again.
KEY = "'task:' || cases_incidenttask.id || ':' || floor(extract(epoch FROM cases_incidenttask.due_at))::bigint"
TOLD = (
    "EXISTS (SELECT FROM cases_notification told"
    f" WHERE told.user_id = cases_incidenttask.assignee_id AND told.key = {KEY})"
)


def tell_due() -> int:
    """Write it into the inboxes of those to whom open tasks of open incidents are assigned that are due by now; each
    once. Returns how many. Called by the scheduler."""
    rows = list(_due().select_related("assignee", "incident")[:AT_ONCE])
    if not rows:
        return 0
    chosen = choices.settings_of_all(row.assignee_id for row in rows if row.assignee_id)
    mail = notify.mail_account() is not None
    for task in rows:
        assert task.assignee is not None  # as selected
        _tell(task, Receiver(task.assignee, chosen[task.assignee.pk], mail=mail))
    return len(rows)


def _due() -> QuerySet[IncidentTask]:
    now = clock.now()
    untold = ~Q(RawSQL(TOLD, [], output_field=BooleanField()))  # noqa: S611  a constant
    rows = IncidentTask.objects.open().filter(untold, due_at__lte=now, due_at__gt=now - LOOK_BACK)
    mine = rows.filter(assignee__is_active=True, incident__status__lt=IncidentStatus.RESOLVED)
    return mine.order_by("due_at", "pk")


def _tell(task: IncidentTask, to: Receiver) -> None:
    """A line; for who does not see the incident one that nobody sees, so that it is not looked at again."""
    assert task.due_at is not None  # as selected
    line = Notification(
        reason="task",
        key=f"task:{task.pk}:{int(task.due_at.timestamp())}",
        kind=KIND,
        incident_id=task.incident_id,
        data={"id": task.pk},
    )
    if Incident.objects.visible_to(to.user).filter(pk=task.incident_id).exists():
        writing.add_line(to, line)
    else:
        writing.add_unseen(to, line)
