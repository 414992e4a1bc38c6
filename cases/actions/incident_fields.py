"""The fields of an incident: what each takes, and what an incident takes from its alerts (casework.md 6, 7)."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.alert_update import tlp_of
from cases.actions.base import _Keep, tags_of, team_of, text_of, word
from cases.choices import Determination, Pap, Severity, Tlp
from cases.errors import Refused
from cases.models import Alert, IncidentTemplate
from soar.accounts.models import Team

FIELDS = (
    "title", "summary", "severity", "status", "determination", "findings", "team", "tlp", "pap", "tags",
    "techniques", "custom_fields", "reason", "resolve_alerts", "restricted",
)  # fmt: skip


def checked(changes: dict[str, Any]) -> dict[str, Any]:
    """The changes that are plain values, as the model has them. Raises Refused beside the first that breaks a rule."""
    return {name: _CHECKS[name](value) for name, value in changes.items() if name in _CHECKS}


def _pap(value: Any) -> str:
    wanted = str(value).lower().removeprefix("pap:")
    if wanted not in Pap.values:
        raise Refused(_("PAP is one of: %(values)s.") % {"values": ", ".join(Pap.values)}, field="pap")
    return wanted


def _techniques(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Refused(_("Techniques are a list of ATT&CK ids."), field="techniques")
    ids = [item.strip().upper() for item in value]
    for item in ids:
        if not re.fullmatch(r"T\d{4}(\.\d{3})?", item):
            raise Refused(
                _("%(item)s is no ATT&CK technique id (T1566 or T1566.001).") % {"item": item[:20]}, field="techniques"
            )
    return list(dict.fromkeys(ids))


_CHECKS: dict[str, Any] = {
    "title": lambda value: text_of(value, "title", most=300),
    "summary": lambda value: text_of(value, "summary", required=False),
    "severity": lambda value: word(Severity, value, "severity"),
    "determination": lambda value: word(Determination, value, "determination"),
    "team": team_of,
    "tlp": tlp_of,
    "pap": _pap,
    "tags": tags_of,
    "techniques": _techniques,
}


def title_for(title: str, alerts: list[Alert]) -> str:
    """The title given, else that of the first alert."""
    given = text_of(title or "", "title", most=300, required=not alerts)
    return given or alerts[0].title[:300]


def severity_for(
    severity: Severity | str | None, alerts: list[Alert], template: IncidentTemplate | None = None
) -> Severity:
    """The severity given, else the worst of the alerts and the template."""
    if severity is not None and severity != "":  # informational is 0
        return word(Severity, severity, "severity")  # type: ignore[no-any-return]
    known = [alert.severity for alert in alerts]
    if template is not None and template.severity is not None:
        known.append(template.severity)
    return Severity(max(known, default=Severity.MEDIUM))


def team_for(team: Team | str | _Keep | None, alerts: list[Alert]) -> Team | None:
    """The team given, else the first that an alert has."""
    if not isinstance(team, _Keep):
        return team_of(team)
    return next((alert.team for alert in alerts if alert.team_id), None)


def tlp_for(tlp: str | None, alerts: list[Alert], template: IncidentTemplate | None = None) -> str:
    """The TLP given, else the strictest of the alerts and the template."""
    if tlp:
        return tlp_of(tlp)
    known = [alert.tlp for alert in alerts] + ([template.tlp] if template is not None and template.tlp else [])
    return Tlp.values[max((Tlp.values.index(one) for one in known), default=Tlp.values.index("amber"))]
