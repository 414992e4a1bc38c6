"""OpenSOAR's generic webhook: the names and severity words that its senders are used to.

Names and their order are those of the peer's endpoint; what it misses (flat dotted keys, lists, numbers as
ids) is read as the generic kind reads it.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import peer_scale
from cases.ingest.sources import generic, known
from cases.ingest.text import words

TITLE = words("rulename rule.name alert.rule.name title name signal.rule.name message")
PARTNER = words("partner tenant customer organization")


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of what OpenSOAR's ``/api/v1/webhooks/alerts`` takes."""
    alert = generic.read(item, Flat(item, known.WRAPPERS), title_of, peer_scale)
    partner = Flat(item).text(*PARTNER)
    if partner and len(partner) <= 80:
        alert.tags = [*alert.tags, f"partner:{partner}"]
    return alert


def title_of(flat: Flat, notes: list[str]) -> str:
    """The peer's order first, then what the generic kind finds."""
    value = flat.first(*TITLE)
    return value if isinstance(value, str) and value.strip() else generic.title_of(flat, notes)
