"""What playbooks want to know of the timeline (rulings 24)."""

from __future__ import annotations

from soar.lib.readers import Reader

reader = Reader(
    name="playbooks",
    kinds=frozenset({"alert.opened", "alert.reopened", "alert.released", "incident.opened"}),
    task="playbooks.tasks.consider",
)
