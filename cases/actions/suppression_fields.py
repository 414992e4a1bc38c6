"""What a suppression rule says, checked field by field. No field is saved unless all are right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cases.actions.base import team_of, text_of
from cases.errors import Refused
from cases.ingest.conditions import BadRule, Conditions, read
from cases.models import AlertSource, SuppressionRule
from soar.lib import clock

REASON_AT_MOST = 2000


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields in the form that is stored. Raises Refused beside the first that is wrong or unknown."""
    for name in fields:
        if name not in FIELDS:
            raise Refused(
                _("%(name)s is not a field of a suppression rule.") % {"name": f"{name!s:.40}"}, field=str(name)
            )
    return {name: FIELDS[name](value) for name, value in fields.items()}


def conditions_of(value: Any) -> Conditions:
    """Conditions as they are stored. Raises Refused beside the one that is wrong, or for all of them."""
    try:
        conditions = read(value)
    except BadRule as error:
        raise Refused(error.message, field=error.name) from error
    wanted = conditions.get("source", [])
    known = set(AlertSource.objects.filter(slug__in=wanted).values_list("slug", flat=True))
    if unknown := [slug for slug in wanted if slug not in known]:
        raise Refused(_("There is no source %(unknown)s.") % {"unknown": f"{unknown[0]:.60}"}, field="source")
    return conditions


def trouble_of(rule: SuppressionRule) -> str:
    """Why a rule that is stored can hold back nothing, "" if it can."""
    try:
        conditions_of(rule.conditions)
    except Refused as error:
        return error.message
    return ""


def _expiry(value: Any) -> datetime:
    """A time to come, no further than the setting allows: a rule that is forgotten must end by itself."""
    when = _moment(value)
    now, days = clock.now(), settings.SUPPRESSION_DAYS
    if when is None:
        raise Refused(_("Say until when: a date with its time."), field="expires_at")
    if when <= now:
        raise Refused(_("This time has passed already."), field="expires_at")
    if when > now + timedelta(days=days, minutes=1):
        raise Refused(
            _("At most %(days)s days from now; it can be prolonged later.") % {"days": days}, field="expires_at"
        )
    return when


def _moment(value: Any) -> datetime | None:
    try:
        when = parse_datetime(value) if isinstance(value, str) else value
        return (when if when.tzinfo else when.replace(tzinfo=UTC)) if isinstance(when, datetime) else None
    except ValueError:
        return None


def _flag(name: str) -> Any:
    def flag(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Refused(_("This is true or false."), field=name)
        return value

    return flag


FIELDS: dict[str, Any] = {
    "name": lambda value: text_of(value, "name", most=100),
    "reason": lambda value: text_of(value, "reason", most=REASON_AT_MOST),
    "expires_at": _expiry,
    "conditions": conditions_of,
    "team": team_of,
    "all_teams": _flag("all_teams"),
    "enabled": _flag("enabled"),
}
