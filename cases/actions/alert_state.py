"""Status, determination and findings of an alert that is locked already: the rules of all that set them."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import change, save
from cases.actors import Actor
from cases.choices import FINDINGS_OF, AlertStatus, Determination, Findings
from cases.errors import Refused
from cases.models import Alert
from soar.lib import clock


def apply_status(actor: Actor, alert: Alert, wanted: AlertStatus, reason: str) -> Alert:
    """``set_status`` for an alert that is locked already."""
    if wanted == AlertStatus.RESOLVED:
        if alert.status == AlertStatus.RESOLVED:
            return alert
        return resolve_locked(actor, alert, Determination(alert.determination), alert.findings, "")
    if alert.status == AlertStatus.RESOLVED:
        return reopen_locked(actor, alert, wanted, reason)
    if change(alert, actor, "status", wanted, reason=reason):
        if wanted == AlertStatus.IN_PROGRESS and alert.acknowledged_at is None:
            alert.acknowledged_at = clock.now()
        save(alert, "status", "acknowledged_at")
    return alert


def apply_determination(actor: Actor, alert: Alert, wanted: Determination, findings: str | None, reason: str) -> Alert:
    """``set_determination`` for an alert that is locked already."""
    if alert.status == AlertStatus.RESOLVED and wanted == Determination.UNKNOWN:
        raise Refused(_("A resolved alert needs a determination other than unknown."), field="determination")
    changed = change(alert, actor, "determination", wanted, reason=reason)
    kept = findings if findings is not None else (alert.findings if not changed else "")
    changed = change(alert, actor, "findings", findings_of(wanted, kept)) or changed
    if changed:
        save(alert, "determination", "findings")
    return alert


def findings_of(determination: Determination, given: str) -> Findings:
    """The findings of a determination (rulings 15): given ones if they fit it, else its first.

    Raises Refused for findings that the determination cannot have."""
    allowed = FINDINGS_OF[determination]
    if not given:
        return allowed[0]
    for finding in allowed:
        if finding == given:
            return finding
    if given in Findings.values:
        raise Refused(
            _("%(label)s goes with: %(allowed)s.")
            % {"label": determination.label, "allowed": ", ".join(f.value for f in allowed if f)},
            field="findings",
        )
    raise Refused(_("%(given)s is no finding.") % {"given": f"{given!s:.40}"}, field="findings")


def resolve_locked(actor: Actor, alert: Alert, determination: Determination, findings: str, reason: str) -> Alert:
    """Resolve, or correct how it was resolved. Raises Refused for *unknown* and for findings that do not fit."""
    if determination == Determination.UNKNOWN:
        raise Refused(_("Resolving needs a determination other than unknown."), field="determination")
    again = alert.status == AlertStatus.RESOLVED
    if again and alert.determination == determination:  # a correction: what is not said anew stays
        findings, reason = findings or alert.findings, reason or alert.resolve_reason
    finding = findings_of(determination, findings)
    same = (alert.determination, alert.findings, alert.resolve_reason) == (determination, finding, reason)
    if again and same:
        return alert
    data = {
        "old": AlertStatus(alert.status).word,
        "new": "resolved",
        "determination": determination.word,
        "findings": str(finding),
    }
    alert.status, alert.determination, alert.findings = AlertStatus.RESOLVED, determination, finding
    alert.resolve_reason = reason
    now = clock.now()
    alert.resolved_at = alert.resolved_at if again and alert.resolved_at else now
    if actor.type == "user":  # whoever resolves it has seen it
        alert.acknowledged_at = alert.acknowledged_at or now
    alert.resolved_by_playbook = actor.type == "playbook"
    timeline.record("alert.resolved", alert, actor, text=reason, data=data)
    save(
        alert,
        "status",
        "determination",
        "findings",
        "resolve_reason",
        "resolved_at",
        "resolved_by_playbook",
        "acknowledged_at",
    )
    return alert


def reopen_locked(actor: Actor, alert: Alert, status: AlertStatus | None, reason: str) -> Alert:
    """Open again: to ``status``, without one in progress if it has an owner, else new."""
    wanted = status or (AlertStatus.IN_PROGRESS if alert.owner_id else AlertStatus.NEW)
    data = {"old": "resolved", "new": wanted.word}
    alert.status, alert.resolved_at, alert.resolve_reason = wanted, None, ""
    alert.resolved_by_playbook = False
    timeline.record("alert.reopened", alert, actor, text=reason, data=data)
    save(alert, "status", "resolved_at", "resolve_reason", "resolved_by_playbook")
    return alert
