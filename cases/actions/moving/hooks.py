"""What other applications keep of an incident (``settings.MERGE_PARTS``: dotted names of Part objects)."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from cases.actions.moving.base import Part


def hooked() -> list[Part]:
    """Their parts."""
    return [import_string(name) for name in settings.MERGE_PARTS]
