"""Registry of the timeline's kinds: text validated here, so a new kind needs no migration."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of entry is shown. ``group`` is the filter it belongs to: notes, changes, playbooks, servicenow."""

    name: str
    label: str
    icon: str
    group: str
    tone: str = ""


_KINDS = [
    Kind("alert.opened", _("opened the alert"), "alerts", "changes"),
    Kind("alert.reopened", _("reopened the alert"), "refresh", "changes", "t-blue"),
    Kind("alert.claimed", _("claimed it"), "user", "changes"),
    Kind("alert.resolved", _("resolved it"), "check", "changes", "t-green"),
    Kind("alert.source_state", _("state at the source"), "sources", "changes"),
    Kind("alert.suppressed", _("held the alert back"), "mute", "changes"),
    Kind("alert.released", _("put the alert into the queue"), "refresh", "changes", "t-blue"),
    Kind("alert.linked", _("linked to an incident"), "link", "changes"),
    Kind("alert.unlinked", _("unlinked from an incident"), "x", "changes"),
    Kind("incident.opened", _("opened the incident"), "incidents", "changes"),
    Kind("incident.imported", _("imported the incident"), "incidents", "changes"),
    Kind("imported", _("brought over"), "clock", "changes"),
    Kind("imported.note", _("brought over a note"), "note", "notes"),
    Kind("incident.alert_linked", _("linked an alert"), "link", "changes"),
    Kind("incident.alert_unlinked", _("unlinked an alert"), "x", "changes"),
    Kind("incident.merged", _("merged another incident into this one"), "merge", "changes", "t-blue"),
    Kind("incident.merged_into", _("merged it into another incident"), "merge", "changes", "t-blue"),
    Kind("incident.merge_undone", _("took a merge back"), "refresh", "changes", "t-blue"),
    Kind("incident.restored", _("took its merge back"), "refresh", "changes", "t-blue"),
    Kind("incident.split", _("split an incident off"), "branch", "changes", "t-blue"),
    Kind("incident.split_off", _("was split off"), "branch", "changes", "t-blue"),
    Kind("incident.related", _("linked an incident"), "link", "changes"),
    Kind("incident.unrelated", _("unlinked an incident"), "x", "changes"),
    Kind("incident.owners", _("changed the owners"), "users", "changes"),
    Kind("incident.reopened", _("reopened the incident"), "refresh", "changes", "t-blue"),
    Kind("changed", _("changed"), "move", "changes"),
    Kind("access.granted", _("gave access"), "plus", "changes"),
    Kind("access.changed", _("changed access"), "key", "changes"),
    Kind("access.revoked", _("took access away"), "x", "changes"),
    Kind("access.expired", _("let a grant end"), "clock", "changes"),
    Kind("access.restricted", _("restricted the incident"), "lock", "changes", "t-violet"),
    Kind("access.unrestricted", _("removed the restriction"), "lock", "changes"),
    Kind("access.glass_broken", _("broke the glass"), "eye", "changes", "t-red"),
    Kind("observable.added", _("added an observable"), "observables", "changes"),
    Kind("observable.removed", _("removed an observable"), "observables", "changes"),
    Kind("task.added", _("added the task"), "task", "changes"),
    Kind("task.changed", _("changed the task"), "task", "changes"),
    Kind("task.assigned", _("assigned the task"), "task", "changes"),
    Kind("task.completed", _("completed"), "task", "changes", "t-green"),
    Kind("task.reopened", _("reopened the task"), "task", "changes", "t-blue"),
    Kind("task.moved", _("moved the task"), "task", "changes"),
    Kind("task.removed", _("removed the task"), "task", "changes"),
    Kind("incident.template", _("used the template"), "shield", "changes"),
    Kind("asset.added", _("added an asset"), "laptop", "changes"),
    Kind("asset.removed", _("removed an asset"), "laptop", "changes"),
    Kind("evidence.added", _("added evidence"), "file", "changes"),
    Kind("evidence.changed", _("changed evidence"), "file", "changes"),
    Kind("evidence.moved", _("moved evidence here"), "file", "changes"),
    Kind("evidence.removed", _("removed evidence"), "file", "changes"),
    Kind("incident.exported", _("exported the incident"), "file", "changes"),
    Kind("hold.placed", _("put it on legal hold"), "lock", "changes", "t-amber"),
    Kind("hold.lifted", _("lifted the legal hold"), "lock", "changes"),
    Kind("sla.at_risk", _("a target is at risk"), "clock", "changes", "t-amber"),
    Kind("sla.breached", _("a target was missed"), "clock", "changes", "t-red"),
    Kind("sla.paused", _("paused the clocks"), "pause", "changes"),
    Kind("sla.resumed", _("let the clocks run again"), "play", "changes"),
    Kind("servicenow.linked", _("linked a ticket"), "link", "servicenow"),
    Kind("servicenow.unlinked", _("unlinked a ticket"), "x", "servicenow"),
    Kind("servicenow.broken", _("lost a ticket"), "x", "servicenow", "t-red"),
    Kind("servicenow.shown", _("sees a ticket again"), "check", "changes"),
    Kind("servicenow.conflict", _("found a conflict"), "refresh", "servicenow", "t-orange"),
    Kind("servicenow.settled", _("settled a conflict"), "check", "servicenow"),
    Kind("servicenow.attachment", _("left an attachment"), "file", "servicenow"),
    Kind("servicenow.failed", _("could not tell ServiceNow"), "x", "servicenow", "t-red"),
    Kind("servicenow.skipped", _("skipped a change"), "x", "servicenow"),
    Kind("servicenow.note", _("noted in ServiceNow"), "note", "notes"),
    Kind("comment", _("noted"), "note", "notes"),
    Kind("comment.edited", _("edited a note"), "edit", "notes"),
    Kind("handoff", _("handed over"), "handover", "notes"),
    Kind("event", _("recorded an event"), "clock", "notes"),
    Kind("mentioned", _("let in somebody who is mentioned"), "users", "changes"),
    Kind("entry.pinned", _("pinned an entry"), "pin", "changes"),
    Kind("entry.unpinned", _("unpinned an entry"), "pin", "changes"),
    Kind("note.moved", _("note of a linked alert"), "note", "notes"),
    Kind("run.started", _("started"), "playbooks", "playbooks", "t-blue"),
    Kind("run.finished", _("finished"), "playbooks", "playbooks"),
    Kind("run.needs_decision", _("needs a decision"), "playbooks", "playbooks", "t-violet"),
    Kind("run.skipped", _("did not run"), "playbooks", "playbooks"),
    Kind("approval.requested", _("asks for an approval"), "approvals", "playbooks", "t-violet"),
    Kind("approval.approved", _("approved"), "approvals", "playbooks", "t-green"),
    Kind("approval.rejected", _("rejected"), "approvals", "playbooks", "t-red"),
    Kind("approval.expired", _("an approval expired"), "approvals", "playbooks"),
    Kind("response.requested", _("asked for a response"), "bolt", "playbooks", "t-blue"),
    Kind("response.finished", _("a response ended"), "bolt", "playbooks"),
    Kind("response.decided", _("decided what happened"), "bolt", "playbooks"),
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
