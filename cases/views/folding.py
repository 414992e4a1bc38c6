"""Boxes of an incident's page that show their first rows, or come without their form, until somebody opens them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Rows that come with the page, and how many more there are at most once a box is opened: its list has all of them.
FIRST, WHOLE = 10, 50
# By region; those with a form alone have no words for their rows.
FOLDING: dict[str, str | Promise] = {
    "alerts": _("Show all %(n)s alerts"),
    "tasks": _("Show all %(n)s tasks"),
    "tickets": _("Show all %(n)s tickets"),
    "observables": _("Show all %(n)s observables"),
    "assets": _("Show all %(n)s assets"),
    "details": "",
    "owners": "",
}
# Boxes that come when somebody scrolls to them.
LATER = ("assets", "evidence")
OPENED = "opened"  # the name under which a page sends along which boxes are open, so that they stay so


@dataclass(frozen=True, slots=True)
class Fold:
    """The line under a box. ``label`` opens it; without one, where ``whole``, it can be folded again."""

    name: str
    label: str = ""
    whole: bool = False


def opened_of(request: HttpRequest) -> frozenset[str]:
    """Which boxes are open on the page that asks."""
    named = {*request.GET.getlist(OPENED), *request.POST.getlist(OPENED)}
    return frozenset(named & {*FOLDING, *LATER})


def fold(name: str, shown: int, total: int, *, whole: bool, first: int = FIRST) -> Fold | None:
    """The line under a box that shows ``shown`` of ``total`` rows; None where there is nothing to open nor to fold."""
    if not whole and total > shown:
        told: Any = {"n": total if total <= WHOLE else WHOLE}
        words = str(FOLDING[name]) if total <= WHOLE else str(_("Show %(n)s"))
        return Fold(name, words % told)
    return Fold(name, whole=True) if whole and total > first else None


def rest(total: int, *, whole: bool) -> int:
    """How many rows an open box leaves to its list."""
    return max(total - WHOLE, 0) if whole else 0
