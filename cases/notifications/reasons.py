"""Why a person is told something: the registry of reasons, and where each is told unless the person chose otherwise."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

OFF, AT_ONCE, HOURLY, DAILY = "off", "at_once", "hourly", "daily"
MODES = (OFF, AT_ONCE, HOURLY, DAILY)
MODE_LABELS: dict[str, str | Promise] = {
    OFF: _("Off"),
    AT_ONCE: _("At once"),
    HOURLY: _("Hourly"),
    DAILY: _("Daily"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. ``email`` and ``chat``: the mode that holds until the person chooses. ``asked``: it asks the person
    by name to do something, so it is told of a muted subject too. ``direct``: its mail goes out whatever is chosen,
    by another way (``cases.glass``), and is not sent twice. The order of the registry is that of preference: who is
    concerned for several reasons is told once, for the first."""

    name: str
    label: str | Promise
    text: str | Promise
    email: str = OFF
    chat: str = AT_ONCE
    asked: bool = False
    direct: bool = False


_ALL = (
    Reason("mention", _("Mentions"), _("Somebody writes your @name."), AT_ONCE, asked=True),
    Reason("approval", _("Approvals and decisions"),
           _("An approval asks you, or a run needs a decision. One that names your address is mailed in any case."),
           AT_ONCE, asked=True),
    Reason("assigned", _("Assignments"), _("An alert or incident is given to you."), AT_ONCE, asked=True),
    Reason("task", _("Tasks"), _("A task is given to you, or one of yours is due."), AT_ONCE, asked=True),
    Reason("sla", _("SLA"),
           _("A target of what you own or follow, or of what nobody owns, is at risk or missed. Alerts that nobody "
             "takes in time are told once an hour, all in one."), AT_ONCE),
    Reason("glass", _("Broken glass"), _("An admin lets themselves in to a restricted incident of yours. "
           "The mail to owners and managers always goes out."), OFF, direct=True),
    Reason("conflict", _("ServiceNow"), _("A conflict, a failure or a lost ticket of an incident of yours."), DAILY),
    Reason("access", _("Access"), _("You are let in to a restricted or foreign incident."), DAILY),
    Reason("team", _("Your team"), _("An alert or incident is given to a team of yours."), OFF, OFF),
    Reason("comment", _("Notes"), _("Somebody writes on what you own or follow."), DAILY, OFF),
    Reason("status", _("Status"), _("What you own or follow is resolved, closed, reopened or moved on."), DAILY, OFF),
)  # fmt: skip
REASONS: dict[str, Reason] = {reason.name: reason for reason in _ALL}
