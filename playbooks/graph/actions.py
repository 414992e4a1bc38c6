"""What a node can do (response-playbooks.md, "Actions"): one table for form, validator, engine and docs."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

from soar.connectors.capabilities import CAPABILITIES

GROUPS = {
    "general": _("General"),
    "message": _("E-mail message"),
    "file": _("File"),
    "address": _("URL, domain"),
    "process": _("Process"),
    "account": _("User account"),
    "container": _("Container"),
    "cloud": _("Cloud account"),
    "endpoint": _("Endpoint"),
    "case": _("Case"),
    "notify": _("Notification"),
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


_DAYS = Param(
    "days",
    _("Days until it expires"),
    "number",
    most=3650,
    hint=_("Empty: it stays until somebody removes it."),
)
_HOURS = Param("hours", _("Hours to look back"), "number", most=720, hint=_("Empty: 168, a week."))
_PATH = Param("path", _("Path of the file"), most=1024, hint=_("Empty: where the alert found it."))
_ARGUMENTS = Param("parameters", _("Parameters"), "long", most=MOST_TEXT)
_RECIPIENTS = Param("recipients", _("Recipients"), "emails", required=True, most=320)
_TICKET = (
    Param("profile", _("Ticket profile"), "profile", required=True, most=100),
    Param("assignment_group", _("Assignment group"), hint=_("Name or sys_id. Empty: as the profile says.")),
    Param("assigned_to", _("Assigned to"), hint=_("User name, e-mail address or sys_id. Empty: as the profile says.")),
    Param("short_description", _("Short description"), most=300,
          hint=_("May name facts, as {{ number }} and {{ title }}. Empty: as the profile says.")),
)  # fmt: skip
_PREFIX = Param("subject_prefix", _("Subject prefix"), hint=_("Used exactly as typed."))

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
    _response("run_script", "endpoint", Param("script", _("Script"), "script", required=True), _ARGUMENTS),
    _response("scan_endpoint", "endpoint"),
    ActionSpec("set_severity", _("Set severity"), "case", params=(
        Param("severity", _("Severity"), "choice", required=True, choices=SEVERITIES),
    )),
    ActionSpec("set_status", _("Set status and determination"), "case", params=(
        Param("status", _("Status"), "choice", required=True, choices=STATUSES),
        Param("determination", _("Determination"), "choice", choices=DETERMINATIONS,
              hint=_("Required for resolved and closed.")),
    )),
    ActionSpec("assign", _("Assign"), "case", params=(Param("owner", _("Owner"), "user", required=True),)),
    ActionSpec("tag", _("Add tag"), "case", params=(Param("tags", _("Tags"), "lines", required=True, most=100),)),
    ActionSpec("add_tasks", _("Add task list"), "case", params=(
        Param("template", _("Incident template"), "template", required=True),
    )),
    ActionSpec("comment", _("Add comment"), "case", params=(
        Param("text", _("Comment"), "long", required=True, most=MOST_TEXT),
    )),
    ActionSpec("run_playbook", _("Run a Python playbook"), "case", params=(
        Param("playbook", _("Playbook"), "playbook", required=True),
    )),
    ActionSpec("email", _("E-mail"), "notify", params=(_PREFIX, _RECIPIENTS)),
    ActionSpec("channel", _("Message to channels"), "notify", params=(
        Param("channels", _("Channels"), "channels", required=True),
    )),
    ActionSpec("ticket", _("ServiceNow ticket"), "notify", params=_TICKET),
)  # fmt: skip

ACTIONS: dict[str, ActionSpec] = {spec.name: spec for spec in _SPECS}


def fitting(type: str) -> tuple[ActionSpec, ...]:
    """The actions to choose from in a node of that type, in the order of the table: notify nodes take those of group
    notify, action nodes all others, conditions none."""
    if type not in ("action", "else_action", "notify"):
        return ()
    return tuple(s for s in _SPECS if (s.group == "notify") == (type == "notify"))
