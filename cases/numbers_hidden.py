"""Which numbers of alerts and incidents, found in some words, a reader may not know (access.md 4)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cases.models import Alert, Incident
from soar.accounts.models import User

NUMBER = re.compile("(?:ALR|INC)-[0-9]{1,18}", re.IGNORECASE)


def numbers_in(text: str) -> set[str]:
    """The numbers that a text names, in capitals."""
    return {found.upper() for found in NUMBER.findall(text)}


def hidden(user: User, numbers: set[str]) -> set[str]:
    """Those of the numbers that are there and that the person may not see: a query for each kind."""
    found: set[str] = set()
    for prefix, model in (("ALR-", Alert), ("INC-", Incident)):
        ids = {int(number[4:]) for number in numbers if number.startswith(prefix)}
        if ids:
            seen: Any = model.objects.filter(pk__in=ids).visible_to(user).order_by().values("pk")
            rows = model.objects.filter(pk__in=ids).exclude(pk__in=seen)
            found |= {f"{prefix}{pk}" for pk in rows.order_by().values_list("pk", flat=True)}
    return found


def names_hidden(user: User, texts: Sequence[str]) -> list[bool]:
    """Of each of the texts, whether it names an alert or incident that the person may not see
    (settings.NAMES_HIDDEN)."""
    named = [numbers_in(text) for text in texts]
    unseen = hidden(user, set().union(*named))
    return [bool(numbers & unseen) for numbers in named]
