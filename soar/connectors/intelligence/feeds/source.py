"""What every connector is that brings a feed: a file, a collection, a search."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.intelligence.feeds.rows import Row
from soar.connectors.kinds import Setting

FEED_KINDS = ("feed", "taxii", "misp")
EFFECTS = ("malicious", "suspicious", "benign")
SOONEST = 5  # minutes: what the makers of feeds ask for
EFFECT = Setting("effect", gettext_noop("What its values are"), form="choice", choices=EFFECTS, default="malicious")
EVERY = Setting("every_minutes", gettext_noop("Minutes between two imports; 0: only by hand"), form="number", default=0)


@dataclass(frozen=True, slots=True)
class Brought:
    """All rows of a feed, which may raise BadFeed while they are read; ``etag`` and ``modified`` are given back at the
    next time."""

    rows: Iterable[Row | None]
    etag: str = ""
    modified: str = ""


class FeedSource(Connector):
    """Brings all values of its feed, each time."""

    def bring(self, etag: str = "", modified: str = "") -> Brought | None:
        """The feed, or None when it is as it was with these two. Raises ConnectorError, BadFeed."""
        raise ConnectorError(f"{self.account.name} brings no feed.", permanent=True)


def too_soon(settings: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the pause between two imports, by name."""
    every = settings.get("every_minutes") or 0
    return (
        {"every_minutes": _("At least %(soonest)s minutes, or 0.") % {"soonest": SOONEST}}
        if 0 < every < SOONEST
        else {}
    )
