"""How a link does, as a badge: the same on the list of links and on the incident's page."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy

from cases.models import LinkState


class Look(NamedTuple):
    """Tone of the pill, class and sign of the badge, a word."""

    tone: str
    css: str
    sign: str
    word: Any


CREATING = Look("blue", "is-in_progress", "st-running", gettext_lazy("Being created"))
FINDING = Look("blue", "is-in_progress", "st-running", gettext_lazy("Being linked"))
BROKEN = Look("red", "is-unsuccessful", "st-unsuccessful", gettext_lazy("Broken"))
FAILED = Look("red", "is-unsuccessful", "st-unsuccessful", gettext_lazy("Failed"))
CONFLICT = Look("violet", "is-needs_decision", "st-unknown_outcome", gettext_lazy("In conflict"))
PAUSED = Look("grey", "is-no_action", "pause", gettext_lazy("Paused"))
SENDING = Look("blue", "is-in_progress", "st-running", gettext_lazy("Sending"))
IN_SYNC = Look("green", "is-successful", "st-successful", gettext_lazy("In sync"))
ENDED = Look("grey", "is-no_action", "st-no_action", gettext_lazy("Unlinked"))
FINAL = {LinkState.ENDED: ENDED, LinkState.BROKEN: BROKEN}


def look_of(link: Any) -> Look:
    """Of a link with its figures (``waiting``, ``has_failed``, ``has_conflict``): the worst that is true of it."""
    if link.state in FINAL:
        return FINAL[link.state]
    if link.has_failed:
        return FAILED
    if link.state == LinkState.CREATING:
        return CREATING if link.created_there else FINDING
    if link.has_conflict:
        return CONFLICT
    if link.instance.out_paused or link.instance.in_paused or not link.instance.account.enabled:
        return PAUSED
    return SENDING if link.waiting else IN_SYNC
