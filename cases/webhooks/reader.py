"""What outgoing webhooks want to know of the timeline: all of it; each endpoint chooses from it (rulings 24)."""

from __future__ import annotations

from cases.timeline_kinds import KINDS
from cases.webhooks.bell import CONSIDER
from soar.lib.readers import Reader

reader = Reader(name="webhooks", kinds=frozenset(KINDS), task=CONSIDER)
