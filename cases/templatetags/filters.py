"""Values of lists' filters, as their addresses write them: ``{{ team.name|one_value }}``."""

from __future__ import annotations

from django.template import Library

from cases.query_text import written

register = Library()


@register.filter
def one_value(text: str) -> str:
    """One value of a filter, be there a comma in it."""
    return written([text])
