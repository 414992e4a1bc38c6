"""The fields of a task: what each takes (casework.md 10)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.base import check_worker, person, text_of, word
from cases.choices import TaskStatus
from cases.errors import Refused
from cases.models import Incident
from soar.accounts.models import User
from soar.lib.clock import moment_of

TITLE_AT_MOST, DESCRIPTION_AT_MOST = 300, 10_000
EARLIEST, LATEST = 2000, 2200  # years: what a date field can be meant to say


def checked(given: dict[str, Any], incident: Incident) -> dict[str, Any]:
    """The values as the model has them. Raises Refused beside the first that breaks a rule or is not known."""
    for name in given:
        if name not in _CHECKS:
            raise Refused(
                _("%(name)s cannot be set. These can: %(checks)s.")
                % {"name": f"{name!s:.40}", "checks": ", ".join(_CHECKS)},
                field=str(name)[:40],
            )
    return {name: _CHECKS[name](value, incident) for name, value in given.items()}


def title_of(value: Any) -> str:
    """One line of text. Raises Refused when empty or too long."""
    return " ".join(text_of(value, "title", most=TITLE_AT_MOST).split())


def flag(value: Any, field: str) -> bool:
    """True or false. Raises Refused for anything else."""
    if not isinstance(value, bool):
        raise Refused(_("Must be true or false."), field=field)
    return value


def _assignee(value: Any, incident: Incident) -> User | None:
    try:
        user = person(value)
    except Refused as error:
        raise Refused(error.message, field="assignee") from error
    if user is not None and not Incident.objects.visible_to(user).filter(pk=incident.pk).exists():
        raise Refused(
            _("%(display_name)s does not see %(number)s, so cannot work on it.")
            % {"display_name": user.display_name(), "number": incident.number},
            field="assignee",
        )
    check_worker(incident, user, "assignee")
    return user


def _due(value: Any, incident: Incident) -> datetime | None:
    """A moment with a zone, or as text in ISO 8601; without a zone that of the person. None and "" are no due time."""
    if value is None or value == "":
        return None
    moment = moment_of(value.isoformat() if isinstance(value, datetime) else str(value)[:40])
    if moment is None or not EARLIEST <= moment.year <= LATEST:
        raise Refused(_("Give a date and time, as 2026-03-12T17:00."), field="due_at")
    return moment


def _position(value: Any, incident: Incident) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Refused(_("The position is a whole number from 1."), field="position")
    return value


_CHECKS: dict[str, Any] = {
    "title": lambda value, incident: title_of(value),
    "description": lambda value, incident: text_of(value, "description", most=DESCRIPTION_AT_MOST, required=False),
    "assignee": _assignee,
    "due_at": _due,
    "required": lambda value, incident: flag(value, "required"),
    "status": lambda value, incident: word(TaskStatus, value, "status"),
    "position": _position,
}
