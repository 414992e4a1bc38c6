"""Values of custom fields in words, and digests of them that find stale forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from soar.accounts.models import User
from soar.lib.clock import moment_of

DIGEST = 16


def words(kind: str, value: Any, people: dict[str, str] | None = None) -> str:
    """A stored value as people read it; "" for none. ``people``: names by user name."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if kind == "user":
        return (people or {}).get(str(value), str(value))
    if kind == "datetime" and (moment := moment_of(str(value))):
        return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M %Z")
    return str(value)


def told(kind: str, value: Any) -> Any:
    """A value as the timeline keeps it: None for none, yes and no in words, the rest as it is stored."""
    return ("yes" if value else "no") if isinstance(value, bool) else value


def people_of(values: Iterable[Any]) -> dict[str, str]:
    """Names as they are shown by user name, in one query, or none where nobody is named."""
    names = {value for value in values if isinstance(value, str)}
    users = User.objects.filter(username__in=names) if names else []
    return {user.username: user.display_name() for user in users}


def local_text(value: Any) -> str:
    """A stored moment as ``<input type="datetime-local">`` takes it, in the person's zone."""
    moment: datetime | None = moment_of(str(value)) if value else None
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M") if moment else ""


def digest(value: Any) -> str:
    """What a form was made from: the same for the same stored value, also for none."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST]
