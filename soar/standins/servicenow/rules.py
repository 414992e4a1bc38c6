"""What the instance itself does and refuses when a ticket is written: priority, policies, states, times."""

from __future__ import annotations

from dataclasses import dataclass

from soar.standins.servicenow.access import CLOSERS, Person
from soar.standins.servicenow.answers import aborted, policy, security
from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.store import Store

PRIORITY = {
    ("1", "1"): "1", ("1", "2"): "2", ("1", "3"): "3", ("2", "1"): "2", ("2", "2"): "3", ("2", "3"): "4",
    ("3", "1"): "3", ("3", "2"): "4", ("3", "3"): "5",
}  # fmt: skip
RESOLVED, CLOSED, CANCELED, ON_HOLD, IN_PROGRESS = "6", "7", "8", "3", "2"
AWAITING_CALLER = "1"
SIR_ORDER = ("10", "16", "18", "19", "20", "100", "3")
SIR_CLOSED, SIR_CANCELLED = "3", "7"
NIST = "Security Incident NIST Stateful: validate state transition"
CHECKLIST = "Checklist of the state is not complete"
MEMBERS = "Assigned to must be a member of the assignment group"


@dataclass(frozen=True, slots=True)
class Write:
    """One write. ``before``: None when inserting; ``after``: as it is wished, changed by the rules; ``notes``: what
    goes into the journal."""

    store: Store
    person: Person
    table: str
    before: Row | None
    after: Row
    notes: Row

    def moved(self, *fields: str) -> bool:
        """Whether one of these gets another value."""
        return self.before is None or any(self.before[one] != self.after[one] for one in fields)

    @property
    def was(self) -> str:
        """The state before, "" when inserting."""
        return self.before["state"] if self.before else ""


def apply(write: Write) -> None:
    """Change ``write.after`` as the instance would. Raises Refusal when a policy or a rule says no."""
    after = write.after
    after["priority"] = PRIORITY.get((after["impact"], after["urgency"]), "5")
    _caller_answers(write)
    _check_members(write)
    _check_state(write)
    if write.table == "incident":
        _incident_policies(write)
        _incident_state(write)
    else:
        _security_policies(write)
        _security_state(write)


def _caller_answers(write: Write) -> None:
    """What the caller says to an incident that waits for the caller brings it back to work."""
    after = write.after
    waiting = write.was == ON_HOLD == after["state"] and after.get("hold_reason") == AWAITING_CALLER
    if waiting and write.table == "incident" and write.person.sys_id == after["caller_id"] and write.notes:
        after |= {"state": IN_PROGRESS, "hold_reason": ""}


def _check_members(write: Write) -> None:
    after, store = write.after, write.store
    if not store.settings["members_only"] or not write.moved("assigned_to", "assignment_group"):
        return
    members = {row["user"] for row in store.by("sys_user_grmember", "group", after["assignment_group"])}
    if after["assigned_to"] and after["assignment_group"] and after["assigned_to"] not in members:
        raise aborted(write.table, MEMBERS)


def _check_state(write: Write) -> None:
    """A business rule of the instance's own may keep the portal from states."""
    refused = write.after["state"] in write.store.settings["refused_states"] and write.moved("state")
    if refused and not write.person.all_rights:
        raise aborted(write.table, CHECKLIST)


def _incident_policies(write: Write) -> None:
    after = write.after
    if after["state"] in (RESOLVED, CLOSED):
        _require_closing(write)
    if after["state"] == CLOSED and write.was != CLOSED and not write.person.may(CLOSERS, "incident"):
        raise security("Update")
    began_waiting = write.moved("state", "hold_reason") and after["state"] == ON_HOLD
    if began_waiting and after["hold_reason"] == AWAITING_CALLER and not write.notes.get("comments"):
        raise policy(["Additional comments"])


def _require_closing(write: Write) -> None:
    """A code that is no choice is refused with the same words as none at all."""
    known = {row["value"] for row in write.store.choices(write.table, "close_code")}
    fields = TABLES[write.table].fields
    missing = [] if write.after["close_code"] in known else [fields["close_code"].label]
    missing += [] if write.after["close_notes"] else [fields["close_notes"].label]
    if missing:
        raise policy(missing)


def _incident_state(write: Write) -> None:
    after, now = write.after, write.store.stamp()
    after["active"] = str(after["state"] not in (CLOSED, CANCELED)).lower()
    if after["state"] != ON_HOLD:
        after["hold_reason"] = ""
    if not write.moved("state"):
        return
    if after["state"] == RESOLVED:
        after |= {"resolved_at": now, "resolved_by": write.person.sys_id}
    elif after["state"] in (CLOSED, CANCELED):
        after |= {"closed_at": now, "closed_by": write.person.sys_id}
    elif write.was in (RESOLVED, CLOSED, CANCELED):
        count = str(int(after["reopen_count"] or 0) + 1)
        after |= {"reopen_count": count, "resolved_at": "", "resolved_by": "", "closed_at": "", "closed_by": ""}


def _security_policies(write: Write) -> None:
    after = write.after
    stateful = write.store.settings["sir_process"] == "stateful"
    if write.moved("state") and stateful and not _next_allowed(write.was, after["state"]):
        raise aborted(write.table, NIST)
    if after["state"] == SIR_CLOSED:
        _require_closing(write)


def _next_allowed(was: str, wanted: str) -> bool:
    """One step at a time and never back; what is open can be cancelled."""
    if not was:
        return wanted in SIR_ORDER[:2]
    if wanted == SIR_CANCELLED:
        return was not in (SIR_CLOSED, SIR_CANCELLED)
    if was not in SIR_ORDER or wanted not in SIR_ORDER:
        return False
    return SIR_ORDER.index(wanted) == SIR_ORDER.index(was) + 1


def _security_state(write: Write) -> None:
    after = write.after
    over = after["state"] in (SIR_CLOSED, SIR_CANCELLED)
    after["active"] = str(not over).lower()
    if write.moved("state"):
        now = write.store.stamp()
        after |= {"closed_at": now, "closed_by": write.person.sys_id} if over else {"closed_at": "", "closed_by": ""}
