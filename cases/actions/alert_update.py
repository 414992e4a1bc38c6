"""Several changes of an alert in one go: what PATCH does."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from cases.actions.alert_state import apply_determination, apply_status, resolve_locked
from cases.actions.base import ALERT_TAGS_AT_MOST, change, check_worker, person, save, tags_of, team_of, text_of, word
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity, Tlp
from cases.errors import Refused
from cases.models import Alert
from soar.lib import clock

FIELDS = (
    "title", "description", "severity", "status", "determination", "findings", "owner", "team", "tags", "tlp",
    "reason",
)  # fmt: skip


def apply_changes(actor: Actor, alert: Alert, changes: dict[str, Any]) -> Alert:
    """Apply checked changes to a locked alert. Raises Refused for the first one that breaks a rule."""
    for name in changes:
        if name not in FIELDS:
            raise Refused(
                _("%(name)s cannot be changed. These can: %(fields)s.")
                % {"name": f"{name!s:.40}", "fields": ", ".join(FIELDS)},
                field=str(name),
            )
    reason = text_of(changes.get("reason") or "", "reason", most=5000, required=False)
    _plain(actor, alert, changes, reason)
    _state(actor, alert, changes, reason)
    return alert


def _plain(actor: Actor, alert: Alert, changes: dict[str, Any], reason: str) -> None:
    wanted: dict[str, Any] = {}
    if "title" in changes:
        wanted["title"] = text_of(changes["title"], "title", most=500)
    if "description" in changes:
        wanted["description"] = text_of(changes["description"], "description", required=False)
    if "severity" in changes:
        wanted["severity"] = word(Severity, changes["severity"], "severity")
    if "owner" in changes:
        wanted["owner"] = person(changes["owner"])
        check_worker(alert, wanted["owner"])
    if "team" in changes:
        wanted["team"] = team_of(changes["team"])
    if "tags" in changes:
        wanted["tags"] = tags_of(changes["tags"], ALERT_TAGS_AT_MOST)
    if "tlp" in changes:
        wanted["tlp"] = tlp_of(changes["tlp"])
    changed = [name for name, value in wanted.items() if change(alert, actor, name, value, reason=reason)]
    if "owner" in changed and alert.owner and alert.acknowledged_at is None:
        alert.acknowledged_at = clock.now()
        changed.append("acknowledged_at")
    if changed:
        save(alert, *changed)


def _state(actor: Actor, alert: Alert, changes: dict[str, Any], reason: str) -> None:
    """Status, determination and findings belong together: resolving needs all of them."""
    if not {"status", "determination", "findings"} & changes.keys():
        return
    status = word(AlertStatus, changes.get("status", AlertStatus(alert.status)), "status")
    given = changes.get("determination", Determination(alert.determination))
    determination = word(Determination, given, "determination")
    findings = changes.get("findings") or ""
    if status == AlertStatus.RESOLVED:
        resolve_locked(actor, alert, determination, findings, reason)
    else:
        if "status" in changes:
            apply_status(actor, alert, status, reason)
        if {"determination", "findings"} & changes.keys():
            apply_determination(actor, alert, determination, changes.get("findings"), reason)


def tlp_of(value: Any) -> str:
    """A TLP word. Raises Refused that names them."""
    wanted = str(value).lower().removeprefix("tlp:")
    if wanted not in Tlp.values:
        raise Refused(_("TLP is one of: %(values)s.") % {"values": ", ".join(Tlp.values)}, field="tlp")
    return wanted
