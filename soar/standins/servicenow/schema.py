"""The tables of the instance: their fields, what these refer to, how long they may be, what they are called."""

from __future__ import annotations

from dataclasses import dataclass, field

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """``kind``: string, integer, boolean, datetime, reference (to the table ``refers``), choice or journal."""

    name: str
    label: str
    kind: str = "string"
    refers: str = ""
    longest: int = 255
    default: str = ""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """``display``: the field that names a row. ``number``: what its numbers begin with, "" for none."""

    name: str
    label: str
    display: str
    fields: dict[str, Field]
    number: str = ""
    parents: tuple[str, ...] = field(default=())

    @property
    def ticket(self) -> bool:
        """Whether it is a task, with journal and state."""
        return bool(self.number)


def _table(
    name: str, label: str, display: str, *fields: Field, number: str = "", parents: tuple[str, ...] = ()
) -> Table:
    return Table(name, label, display, {one.name: one for one in (*fields, *SYSTEM)}, number, parents)


def _user(name: str, label: str) -> Field:
    return Field(name, label, "reference", "sys_user", 32)


def _when(name: str, label: str, *, fixed: bool = True) -> Field:
    return Field(name, label, "datetime", fixed=fixed)


SYSTEM = (
    Field("sys_id", "Sys ID", longest=32, fixed=True),
    _when("sys_created_on", "Created"),
    Field("sys_created_by", "Created by", longest=40, fixed=True),
    _when("sys_updated_on", "Updated"),
    Field("sys_updated_by", "Updated by", longest=40, fixed=True),
    Field("sys_mod_count", "Updates", "integer", default="0", fixed=True),
)
TASK = (
    Field("number", "Number", longest=40, fixed=True),
    Field("short_description", "Short description", longest=160),
    Field("description", "Description", longest=4000),
    Field("impact", "Impact", "choice", longest=40, default="3"),
    Field("urgency", "Urgency", "choice", longest=40, default="3"),
    Field("priority", "Priority", "choice", longest=40, fixed=True),
    Field("assignment_group", "Assignment group", "reference", "sys_user_group", 32),
    _user("assigned_to", "Assigned to"),
    _user("opened_by", "Opened by"),
    _when("opened_at", "Opened", fixed=False),
    Field("active", "Active", "boolean", default="true", fixed=True),
    Field("contact_type", "Channel", "choice", longest=40),
    Field("correlation_id", "Correlation ID", longest=100),
    Field("correlation_display", "Correlation display", longest=100),
    Field("close_notes", "Close notes", longest=4000),
    _when("closed_at", "Closed"),
    Field("closed_by", "Closed by", "reference", "sys_user", 32, fixed=True),
    Field("work_notes", "Work notes", "journal", longest=0),
    Field("comments", "Additional comments", "journal", longest=0),
    Field("sys_class_name", "Task type", longest=80, fixed=True),
    Field("parent", "Parent", "reference", "incident", 32),
)
INCIDENT = _table(
    "incident", "Incident", "number", *TASK,
    Field("state", "State", "choice", longest=40, default="1"),
    Field("hold_reason", "On hold reason", "choice", longest=40),
    Field("category", "Category", "choice", longest=40, default="inquiry"),
    Field("subcategory", "Subcategory", longest=40),
    Field("close_code", "Resolution code", "choice", longest=40),
    _user("caller_id", "Caller"),
    _when("resolved_at", "Resolved"),
    Field("resolved_by", "Resolved by", "reference", "sys_user", 32, fixed=True),
    Field("reopen_count", "Reopen count", "integer", default="0", fixed=True),
    Field("severity", "Severity", "choice", longest=40, default="3"),
    number="INC", parents=("task",),
)  # fmt: skip
SECURITY = _table(
    "sn_si_incident", "Security Incident", "number", *TASK,
    Field("state", "State", "choice", longest=40, default="10"),
    Field("substate", "Substate", "choice", longest=40),
    Field("category", "Category", "choice", longest=40),
    Field("subcategory", "Subcategory", longest=40),
    Field("close_code", "Close code", "choice", longest=40),
    _user("affected_user", "Affected user"),
    _user("caller", "Requested by"),
    Field("business_criticality", "Business impact", "choice", longest=40, default="3"),
    Field("risk_score", "Risk score", "integer", default="0"),
    Field("attack_vector", "Attack vector", "choice", longest=40),
    Field("severity", "Severity", "choice", longest=40, default="3"),
    number="SIR", parents=("task",),
)  # fmt: skip
USER = _table(
    "sys_user", "User", "name",
    Field("user_name", "User ID", longest=40), Field("name", "Name", longest=151),
    Field("first_name", "First name", longest=50), Field("last_name", "Last name", longest=50),
    Field("email", "Email", longest=100), Field("active", "Active", "boolean", default="true"),
    Field("time_zone", "Time zone", longest=40), Field("date_format", "Date format", longest=40),
    Field("title", "Title", longest=60),
)  # fmt: skip
GROUP = _table(
    "sys_user_group", "Group", "name",
    Field("name", "Name", longest=80), Field("description", "Description", longest=1000),
    Field("active", "Active", "boolean", default="true"), _user("manager", "Manager"),
    Field("email", "Group email", longest=100),
)  # fmt: skip
CHOICE = _table(
    "sys_choice", "Choice", "label",
    Field("name", "Table", longest=80), Field("element", "Element", longest=80), Field("value", "Value", longest=255),
    Field("label", "Label", longest=255), Field("language", "Language", longest=3, default="en"),
    Field("inactive", "Inactive", "boolean", default="false"), Field("sequence", "Sequence", "integer", default="0"),
    Field("dependent_value", "Dependent value", longest=40),
)  # fmt: skip
JOURNAL = _table(
    "sys_journal_field", "Journal Entry", "value",
    Field("name", "Table", longest=80), Field("element", "Element", longest=80),
    Field("element_id", "Element ID", longest=32), Field("value", "Value", longest=0),
)  # fmt: skip
AUDIT = _table(
    "sys_audit", "Audit", "fieldname",
    Field("tablename", "Table name", longest=80), Field("documentkey", "Document key", longest=32),
    Field("fieldname", "Field name", longest=80), Field("oldvalue", "Old value", longest=0),
    Field("newvalue", "New value", longest=0), Field("user", "User", longest=40),
    Field("record_checkpoint", "Record checkpoint", "integer"),
)  # fmt: skip
ATTACHMENT = _table(
    "sys_attachment", "Attachment", "file_name",
    Field("file_name", "File name", longest=100), Field("table_name", "Table name", longest=80),
    Field("table_sys_id", "Table sys ID", longest=32), Field("content_type", "Content type", longest=250),
    Field("size_bytes", "Size bytes", "integer"), Field("size_compressed", "Size compressed", "integer"),
    Field("hash", "Hash", longest=64), Field("state", "State", longest=40),
    Field("compressed", "Compressed", "boolean"),
)  # fmt: skip
HAS_ROLE = _table(
    "sys_user_has_role", "User Role", "role",
    _user("user", "User"), Field("role", "Role", "reference", "sys_user_role", 32),
    Field("state", "State", longest=40, default="active"),
)  # fmt: skip
ROLE = _table("sys_user_role", "Role", "name", Field("name", "Name", longest=100))
MEMBER = _table(
    "sys_user_grmember", "Group Member", "user",
    _user("user", "User"), Field("group", "Group", "reference", "sys_user_group", 32),
)  # fmt: skip
PROPERTY = _table(
    "sys_properties",
    "System Property",
    "name",
    Field("name", "Name", longest=100),
    Field("value", "Value", longest=4000),
)
TABLES: dict[str, Table] = {
    one.name: one
    for one in (
        INCIDENT, SECURITY, USER, GROUP, CHOICE, JOURNAL, AUDIT, ATTACHMENT, HAS_ROLE, ROLE, MEMBER, PROPERTY,
    )
}  # fmt: skip
TICKETS = tuple(name for name, table in TABLES.items() if table.ticket)
