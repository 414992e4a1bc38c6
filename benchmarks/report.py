"""Rows of a result, with the target beside the figure and the verdict: pass or fall short (rulings 31)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Row:
    """One figure. ``better`` is "more" or "less"; no target, no verdict."""

    name: str
    value: float
    unit: str
    target: float | None = None
    better: str = "more"
    note: str = ""
    # A machine may be slower than the one the targets were set on: the same share of its raw limit holds too.
    ratio: float | None = None
    ratio_target: float | None = None

    @property
    def verdict(self) -> str:
        """pass, fall short, or nothing."""
        if self.target is None:
            return ""
        good = self.value >= self.target if self.better == "more" else self.value <= self.target
        if not good and self.ratio is not None and self.ratio_target is not None:
            return "pass (ratio)" if self.ratio >= self.ratio_target else "FALL SHORT"
        return "pass" if good else "FALL SHORT"

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        return {**asdict(self), "verdict": self.verdict}


def show(row: Row) -> None:
    """Print one row as soon as it is known."""
    sign = ">=" if row.better == "more" else "<="
    target = f"{sign} {row.target:g}" if row.target is not None else ""
    print(f"{row.name:52s} {row.value:10.1f} {row.unit:9s} {target:>10s}  {row.verdict:12s} {row.note}", flush=True)
