"""Tags of times that are due: ``{% left due %}``."""

from __future__ import annotations

from datetime import datetime

from django.template import Library
from django.utils import timezone
from django.utils.safestring import SafeString

from cases import due_parts

register = Library()


@register.simple_tag
def left(due: datetime) -> SafeString:
    """How long there is until then, or by how much it is late; with the exact time on hover."""
    now = timezone.now()
    state = "breached" if due < now else "at_risk" if due - now < due_parts.SOON else "ok"
    return due_parts.left(due, now, state)
