"""Registry of the timeline's kinds: text validated here, so a new kind needs no migration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of entry is shown. ``group`` is the filter it belongs to: notes, changes, playbooks, servicenow."""

    name: str
    label: str
    icon: str
    group: str
    tone: str = ""


_KINDS = [
    Kind("alert.opened", "opened the alert", "alerts", "changes"),
    Kind("alert.reopened", "reopened the alert", "refresh", "changes", "t-blue"),
    Kind("alert.claimed", "claimed it", "user", "changes"),
    Kind("alert.resolved", "resolved it", "check", "changes", "t-green"),
    Kind("alert.source_state", "state at the source", "sources", "changes"),
    Kind("alert.suppressed", "held the alert back", "mute", "changes"),
    Kind("alert.released", "put the alert into the queue", "refresh", "changes", "t-blue"),
    Kind("alert.linked", "linked to an incident", "link", "changes"),
    Kind("alert.unlinked", "unlinked from an incident", "x", "changes"),
    Kind("incident.opened", "opened the incident", "incidents", "changes"),
    Kind("incident.imported", "imported the incident", "incidents", "changes"),
    Kind("imported", "brought over", "clock", "changes"),
    Kind("imported.note", "brought over a note", "note", "notes"),
    Kind("incident.alert_linked", "linked an alert", "link", "changes"),
    Kind("incident.alert_unlinked", "unlinked an alert", "x", "changes"),
    Kind("incident.merged", "merged another incident into this one", "merge", "changes", "t-blue"),
    Kind("incident.merged_into", "merged it into another incident", "merge", "changes", "t-blue"),
    Kind("incident.merge_undone", "took a merge back", "refresh", "changes", "t-blue"),
    Kind("incident.restored", "took its merge back", "refresh", "changes", "t-blue"),
    Kind("incident.split", "split an incident off", "branch", "changes", "t-blue"),
    Kind("incident.split_off", "was split off", "branch", "changes", "t-blue"),
    Kind("incident.related", "linked an incident", "link", "changes"),
    Kind("incident.unrelated", "unlinked an incident", "x", "changes"),
    Kind("incident.owners", "changed the owners", "users", "changes"),
    Kind("incident.reopened", "reopened the incident", "refresh", "changes", "t-blue"),
    Kind("changed", "changed", "move", "changes"),
    Kind("access.granted", "gave access", "plus", "changes"),
    Kind("access.changed", "changed access", "key", "changes"),
    Kind("access.revoked", "took access away", "x", "changes"),
    Kind("access.expired", "let a grant end", "clock", "changes"),
    Kind("access.restricted", "restricted the incident", "lock", "changes", "t-violet"),
    Kind("access.unrestricted", "removed the restriction", "lock", "changes"),
    Kind("access.glass_broken", "broke the glass", "eye", "changes", "t-red"),
    Kind("observable.added", "added an observable", "observables", "changes"),
    Kind("observable.removed", "removed an observable", "observables", "changes"),
    Kind("task.added", "added the task", "task", "changes"),
    Kind("task.changed", "changed the task", "task", "changes"),
    Kind("task.assigned", "assigned the task", "task", "changes"),
    Kind("task.completed", "completed", "task", "changes", "t-green"),
    Kind("task.reopened", "reopened the task", "task", "changes", "t-blue"),
    Kind("task.moved", "moved the task", "task", "changes"),
    Kind("task.removed", "removed the task", "task", "changes"),
    Kind("incident.template", "used the template", "shield", "changes"),
    Kind("asset.added", "added an asset", "laptop", "changes"),
    Kind("asset.removed", "removed an asset", "laptop", "changes"),
    Kind("evidence.added", "added evidence", "file", "changes"),
    Kind("evidence.changed", "changed evidence", "file", "changes"),
    Kind("evidence.moved", "moved evidence here", "file", "changes"),
    Kind("evidence.removed", "removed evidence", "file", "changes"),
    Kind("incident.exported", "exported the incident", "file", "changes"),
    Kind("hold.placed", "put it on legal hold", "lock", "changes", "t-amber"),
    Kind("hold.lifted", "lifted the legal hold", "lock", "changes"),
    Kind("sla.at_risk", "a target is at risk", "clock", "changes", "t-amber"),
    Kind("sla.breached", "a target was missed", "clock", "changes", "t-red"),
    Kind("sla.paused", "paused the clocks", "pause", "changes"),
    Kind("sla.resumed", "let the clocks run again", "play", "changes"),
    Kind("servicenow.linked", "linked a ticket", "link", "servicenow"),
    Kind("servicenow.unlinked", "unlinked a ticket", "x", "servicenow"),
    Kind("servicenow.broken", "lost a ticket", "x", "servicenow", "t-red"),
    Kind("servicenow.shown", "sees a ticket again", "check", "changes"),
    Kind("servicenow.conflict", "found a conflict", "refresh", "servicenow", "t-orange"),
    Kind("servicenow.settled", "settled a conflict", "check", "servicenow"),
    Kind("servicenow.attachment", "left an attachment", "file", "servicenow"),
    Kind("servicenow.failed", "could not tell ServiceNow", "x", "servicenow", "t-red"),
    Kind("servicenow.skipped", "skipped a change", "x", "servicenow"),
    Kind("servicenow.note", "noted in ServiceNow", "note", "notes"),
    Kind("comment", "noted", "note", "notes"),
    Kind("comment.edited", "edited a note", "edit", "notes"),
    Kind("handoff", "handed over", "handover", "notes"),
    Kind("event", "recorded an event", "clock", "notes"),
    Kind("mentioned", "let in somebody who is mentioned", "users", "changes"),
    Kind("entry.pinned", "pinned an entry", "pin", "changes"),
    Kind("entry.unpinned", "unpinned an entry", "pin", "changes"),
    Kind("note.moved", "note of a linked alert", "note", "notes"),
    Kind("run.started", "started", "playbooks", "playbooks", "t-blue"),
    Kind("run.finished", "finished", "playbooks", "playbooks"),
    Kind("run.needs_decision", "needs a decision", "playbooks", "playbooks", "t-violet"),
    Kind("run.skipped", "did not run", "playbooks", "playbooks"),
    Kind("approval.requested", "asks for an approval", "approvals", "playbooks", "t-violet"),
    Kind("approval.approved", "approved", "approvals", "playbooks", "t-green"),
    Kind("approval.rejected", "rejected", "approvals", "playbooks", "t-red"),
    Kind("approval.expired", "an approval expired", "approvals", "playbooks"),
    Kind("response.requested", "asked for a response", "bolt", "playbooks", "t-blue"),
    Kind("response.finished", "a response ended", "bolt", "playbooks"),
    Kind("response.decided", "decided what happened", "bolt", "playbooks"),
]

KINDS: dict[str, Kind] = {kind.name: kind for kind in _KINDS}
NOTES = ("comment", "handoff", "event", "note.moved", "servicenow.note", "imported.note")
# Words of people on which their writers may go back (casework.md 13: edits are kept as revisions).
CORRECTABLE = ("comment", "handoff", "event")
MERGING = (
    "incident.merged", "incident.merged_into", "incident.merge_undone", "incident.restored", "incident.split",
    "incident.split_off",
)  # fmt: skip
# Their text is written by playbooks and by Soar, which see more than a reader may: it may name what they do not see.
TELLING = ("run.", "approval.requested", "response.requested", "response.finished", "servicenow.unlinked")
# Entries that say what was linked to what: a reader may not know of the other side (timeline_read.tell_all).
LINKING = (
    "alert.linked", "alert.unlinked", "incident.opened", "incident.alert_linked", "incident.alert_unlinked",
    *MERGING, "incident.related", "incident.unrelated", "evidence.moved",
)  # fmt: skip
