"""What telling products back wants to know of the timeline (rulings 24)."""

from __future__ import annotations

from soar.lib.readers import Reader

reader = Reader(
    name="pushes",
    kinds=frozenset({"alert.resolved", "alert.reopened", "alert.claimed", "changed", "comment"}),
    task="cases.tasks.consider_pushes",
)
