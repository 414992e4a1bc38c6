"""Approvals in words: who asks, how long there is left."""

from __future__ import annotations

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from playbooks.models import Approval
from soar.lib import parts


def asked_by(approval: Approval) -> str:
    """The playbook or the person that asks."""
    if approval.run is not None:
        return approval.run.playbook.name
    return approval.requested_by.display_name() if approval.requested_by else _("Soar")


def badge(approval: Approval) -> SafeString:
    """Its status, as a pill with the word."""
    return parts.pill(_(str(approval.state.label)), approval.state.tone.removeprefix("t-") or "grey")


def time_left(approval: Approval) -> tuple[str, bool]:
    """("23 h 51 min", whether it is less than an hour); "" when it is over."""
    if approval.status not in ("pending", "partly"):
        return "", False
    seconds = int((approval.expires_at - timezone.now()).total_seconds())
    if seconds <= 0:
        return _("expires now"), True
    hours, minutes = divmod(max(1, seconds // 60), 60)
    if hours:
        return _("%(h)d h %(min)d min") % {"h": hours, "min": minutes}, False
    return _("%d min") % minutes, True
