"""What people set for themselves: name, address, how the portal looks, time zone, keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from soar.accounts.actions.emails import set_email
from soar.accounts.models import User


@transaction.atomic
def update_profile(user: User, fields: Mapping[str, Any], email: str) -> None:
    """Keep what a person says of themselves; ``fields`` are columns by name. Only these are written: whoever disables
    the person at this moment is not to be undone. Raises ValidationError for what is no address."""
    User.objects.filter(pk=user.pk).update(**fields)
    set_email(user, user, email)


def set_theme(user: User, theme: str) -> None:
    """Keep the theme that a person chose: auto, light or dark."""
    User.objects.filter(pk=user.pk).update(theme=theme)
    user.theme = theme
