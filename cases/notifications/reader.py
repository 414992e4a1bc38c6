"""What notifications want to know of the timeline (rulings 24). No kind that comes in by the thousand is among it."""

from __future__ import annotations

from cases.notifications.concerned import ACCESS, NAMING, NOTES, SLA, STATUS, TASKS, TICKETS
from soar.lib.readers import Reader

OTHERS = {"changed", "incident.owners", "approval.requested", "run.needs_decision", "access.glass_broken"}
KINDS = frozenset({*NOTES, *NAMING, *SLA, *TICKETS, *STATUS, *ACCESS, *TASKS, *OTHERS})
reader = Reader(name="notifications", kinds=KINDS, task="cases.tasks.notifications_consider")
