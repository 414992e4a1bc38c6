"""Tags of ATT&CK techniques: ``{% technique id list %}`` and ``{% technique_name id %}``."""

from __future__ import annotations

from django.template import Library

from cases.attack import shown
from cases.attack.stored import catalog

register = Library()
register.simple_tag(shown.pill, name="technique")


@register.simple_tag
def technique_name(id: str) -> str:
    """The name of a technique; "" for an id that ATT&CK does not know."""
    return catalog().name(id)
