"""What a node can do (response-playbooks.md, "Actions"): one table for form, validator, engine and docs."""

from __future__ import annotations

from dataclasses import dataclass

from soar.connectors.capabilities import CAPABILITIES

GROUPS = {
    "general": "General",
    "message": "E-mail message",
    "file": "File",
    "address": "URL, domain",
    "process": "Process",
    "account": "User account",
    "container": "Container",
    "cloud": "Cloud account",
    "endpoint": "Endpoint",
    "case": "Case",
    "notify": "Notification",
}
SEVERITIES = ("informational", "low", "medium", "high", "critical")
# Nothing is resolved or closed as *unknown* (casework.md 1).
DETERMINATIONS = ("benign", "suspicious", "malicious")
STATUSES = ("in_progress", "contained", "resolved", "closed")
CLOSING = ("resolved", "closed")
LISTS = ("lines", "emails", "channels")
MOST_TEXT = 8000


@dataclass(frozen=True, slots=True)
class Param:
    """A setting of an action. ``form``: text, long (several lines), choice, number, user (a username), script,
    playbook, template, profile (a ticket profile) are one value; lines, emails and channels are lists. ``most``:
    characters of a text (of each item of a list), the greatest number; ``least``: the smallest number."""

    name: str
    label: str
    form: str = "text"
    required: bool = False
    most: int = 200
    least: int = 1
    choices: tuple[str, ...] = ()
    hint: str = ""

    @property
    def is_list(self) -> bool:
        """Its value is a list of texts."""
        return self.form in LISTS


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action. ``targets``: kinds of object it acts on, one task each; none for case and notify, which run once.

    ``capability``: what a connector must serve, "" for what the portal does itself. ``inverse``: the capability that
    undoes it. ``exclusive``: of the actions of one node that share this word, only one may be chosen."""

    name: str
    label: str
    group: str
    targets: tuple[str, ...] = ()
    capability: str = ""
    destructive: bool = False
    inverse: str = ""
    params: tuple[Param, ...] = ()
    exclusive: str = ""

    @property
    def responds(self) -> bool:
        """It acts on objects through a connector."""
        return bool(self.capability)

    def param(self, name: str) -> Param | None:
        """The setting of that name."""
        return next((one for one in self.params if one.name == name), None)


def _response(name: str, group: str, *params: Param, exclusive: str = "") -> ActionSpec:
    """An action that is a capability of connectors: label, targets and inverse are the capability's."""
    what = CAPABILITIES[name]
    return ActionSpec(
        name, what.label, group, what.targets, name, what.destructive, what.inverse, params, exclusive
    )  # fmt: skip


_DAYS = Param("days", "Days until it expires", "number", most=3650, hint="Empty: it stays until somebody removes it.")
_HOURS = Param("hours", "Hours to look back", "number", most=720, hint="Empty: 168, a week.")
_PATH = Param("path", "Path of the file", most=1024, hint="Empty: where the alert found it.")
_ARGUMENTS = Param("parameters", "Parameters", "long", most=MOST_TEXT)
_RECIPIENTS = Param("recipients", "Recipients", "emails", required=True, most=320)
_TICKET = (
    Param("profile", "Ticket profile", "profile", required=True, most=100),
    Param("assignment_group", "Assignment group", hint="Name or sys_id. Empty: as the profile says."),
    Param("assigned_to", "Assigned to", hint="User name, e-mail address or sys_id. Empty: as the profile says."),
    Param("short_description", "Short description", most=300,
          hint="May name facts, as {{ number }} and {{ title }}. Empty: as the profile says."),
)  # fmt: skip
_PREFIX = Param("subject_prefix", "Subject prefix", hint="Used exactly as typed.")

_SPECS = (
    _response("block", "general", _DAYS),
    _response("delete_message", "message", exclusive="message"),
    _response("quarantine_message", "message", exclusive="message"),
    _response("find_messages", "message", _HOURS),
    _response("collect_file", "file", _PATH),
    _response("sandbox_file", "file"),
    _response("sandbox_url", "address"),
    _response("terminate_process", "process"),
    _response("disable_account", "account", exclusive="account"),
    _response("unlock_account", "account"),
    _response("sign_out", "account", exclusive="account"),
    _response("reset_password", "account", exclusive="account"),
    _response("isolate_container", "container", exclusive="container"),
    _response("terminate_container", "container", exclusive="container"),
    _response("revoke_cloud_access", "cloud"),
    _response("isolate_endpoint", "endpoint"),
    _response("run_script", "endpoint", Param("script", "Script", "script", required=True), _ARGUMENTS),
    _response("scan_endpoint", "endpoint"),
    ActionSpec("set_severity", "Set severity", "case", params=(
        Param("severity", "Severity", "choice", required=True, choices=SEVERITIES),
    )),
    ActionSpec("set_status", "Set status and determination", "case", params=(
        Param("status", "Status", "choice", required=True, choices=STATUSES),
        Param("determination", "Determination", "choice", choices=DETERMINATIONS,
              hint="Required for resolved and closed."),
    )),
    ActionSpec("assign", "Assign", "case", params=(Param("owner", "Owner", "user", required=True),)),
    ActionSpec("tag", "Add tag", "case", params=(Param("tags", "Tags", "lines", required=True, most=100),)),
    ActionSpec("add_tasks", "Add task list", "case", params=(
        Param("template", "Incident template", "template", required=True),
    )),
    ActionSpec("comment", "Add comment", "case", params=(
        Param("text", "Comment", "long", required=True, most=MOST_TEXT),
    )),
    ActionSpec("run_playbook", "Run a Python playbook", "case", params=(
        Param("playbook", "Playbook", "playbook", required=True),
    )),
    ActionSpec("email", "E-mail", "notify", params=(_PREFIX, _RECIPIENTS)),
    ActionSpec("channel", "Message to channels", "notify", params=(
        Param("channels", "Channels", "channels", required=True),
    )),
    ActionSpec("ticket", "ServiceNow ticket", "notify", params=_TICKET),
)  # fmt: skip

ACTIONS: dict[str, ActionSpec] = {spec.name: spec for spec in _SPECS}


def fitting(type: str) -> tuple[ActionSpec, ...]:
    """The actions to choose from in a node of that type, in the order of the table: notify nodes take those of group
    notify, action nodes all others, conditions none."""
    if type not in ("action", "else_action", "notify"):
        return ()
    return tuple(s for s in _SPECS if (s.group == "notify") == (type == "notify"))
