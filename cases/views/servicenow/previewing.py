"""What a profile makes of an incident: its texts while they are written, and the whole request, not sent (2)."""

from __future__ import annotations

from cases.models import Incident
from soar.accounts.models import User


def recent_incident(user: User) -> Incident | None:
    """The newest incident that the person sees: something to try a profile with."""
    return Incident.objects.visible_to(user).order_by("-pk").first()
