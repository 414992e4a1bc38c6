"""What holds an alert back from the queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Hold:
    """The rule that holds an alert back, as the alert's timeline names it (ingest-and-api.md 9)."""

    rule: int
    name: str
    reason: str

    def as_data(self) -> dict[str, Any]:
        """For an entry of the timeline."""
        return {"rule": self.rule, "name": self.name, "reason": self.reason}
