"""The tabs above all that decides what comes into the queue: sources, what they could not read, what is held back."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.source_access import reads_some
from cases.suppression_access import rules_over, rules_seen_by
from cases.views.dead_letters_parts import COUNTED, count_waiting
from soar.accounts.models import User


@dataclass(frozen=True)
class Tab:
    """A page with what there is on it; ``count`` "" where there is nothing to say."""

    label: str | Promise
    url: str
    count: str
    current: bool


def tabs(user: User, current: str) -> list[Tab]:
    """The pages that this person may open; ``current`` is the URL name of the one they are on."""
    made = [("suppression-list", _("Suppression"), str(rules_over(rules_seen_by(user), False).count() or ""))]
    if reads_some(user):
        made = [("source-list", _("Sources"), ""), *made]
    if reads_some(user):
        waiting = count_waiting(user=user)
        letters = f"{waiting}+" if waiting == COUNTED else str(waiting or "")
        made.insert(1, ("dead-letters", _("Dead letters"), letters))
    return [Tab(label, reverse(name), count, name == current) for name, label, count in made]
