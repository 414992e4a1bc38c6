"""What the ServiceNow sync wants to know of the timeline (rulings 24)."""

from __future__ import annotations

from cases.servicenow.notes import KINDS
from soar.lib.readers import Reader

# Entries that may change a field of a ticket, or that an incident gets a ticket by.
OPENING = frozenset({"incident.opened", "incident.template", "incident.alert_linked", "incident.reopened", "changed"})
# What holds less or more since is told to its tickets, also to those that came with it.
MERGED = frozenset({"incident.merged", "incident.merge_undone", "incident.restored"})
CHANGING = frozenset({"changed", "incident.owners", "incident.reopened", "incident.alert_linked", *MERGED})

reader = Reader(
    name="servicenow",
    kinds=OPENING | CHANGING | frozenset(KINDS),
    task="cases.tasks.servicenow_consider",
)
