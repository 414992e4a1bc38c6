"""What a person lacks for what a response playbook does to a case: for rehearsals, which try nothing.

The words are those with which the run would fail (``cases.permissions``)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.models import Alert
from cases.permissions import holds
from playbooks.graph.actions import CLOSING
from soar.accounts.membership import may
from soar.accounts.models import User

_MISSING = gettext_noop("the permission to work on cases is missing.")


def opening_hindrance(user: User) -> str:
    """Why they may open no incident, as the end of a sentence; empty if they may."""
    return "" if may(user, "work_cases") else _(_MISSING)


def acting_hindrance(user: User, alert: Alert, action: str, params: dict[str, Any]) -> str:
    """Why a case action on an alert that they see, or on its incident, would be refused; empty if it would not.

    A Python playbook that is started has its own permissions: it is not looked into."""
    if action == "run_playbook":
        return ""
    if alert.incident is None:
        return (
            ""
            if may(user, "work_cases")
            else _("You may see this alert but not work on it: %(missing)s") % {"missing": _(_MISSING)}
        )
    level = _level(action, params)
    return (
        ""
        if holds(user, alert.incident, level)
        else _("You may see this incident but not %(level)s it.") % {"level": level}
    )


def _level(action: str, params: dict[str, Any]) -> str:
    if action == "set_status" and params.get("status") in CLOSING:
        return "close"
    return "comment" if action == "comment" else "edit"
