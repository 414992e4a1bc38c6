"""What stand-ins that are told things have in common: the newest of what came, to be read by people and tests."""

from __future__ import annotations

import time
from typing import Any

from soar.lib import clock

KEPT = 200


def keep(state: dict[str, Any], name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Put ``entry``, with a number and the time, at the end of the list ``name``; the oldest go."""
    state["count"] = state.get("count", 0) + 1
    made = {"id": state["count"], "at": clock.iso(clock.now()), **entry}
    state[name] = [*state.get(name, []), made][-KEPT:]
    return made


class Pace:
    """At most ``most`` calls a second, as the product has it; ``late`` tells whether this one is too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: list[float] = []

    def late(self) -> bool:
        """Counts this call unless it is one too many."""
        now = time.monotonic()
        self._times = [moment for moment in self._times if now - moment < 1.0]
        if len(self._times) >= self._most:
            return True
        self._times.append(now)
        return False
