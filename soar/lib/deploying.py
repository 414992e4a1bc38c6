"""What ``manage.py check --deploy`` says of Soar's own settings (operations.md 2)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

KEYS = "SOAR_ENCRYPTION_KEYS is not set, so each host makes a key of its own in its data folder."
HINT = "Give all hosts the same keys: what one of them encrypts, the others cannot read otherwise."


def keys_are_given(app_configs: Any, **_more: Any) -> list[CheckMessage]:
    """With a database that several hosts may share, the keys have to be given."""
    if settings.EMBEDDED or settings.ENCRYPTION_KEYS:
        return []
    return [Warning(KEYS, hint=HINT, id="soar.W001")]
