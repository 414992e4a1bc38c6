"""Charts as figures for inline SVG: where each bar and line stands. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cases.choices import Severity
from cases.dashboard.volume import Day

WIDTH, HEIGHT, LEFT, TOP = 760, 190, 40, 8  # of the plot; below it stand the days
LINES = 4
STACK = [(Severity.CRITICAL, "t-red"), (Severity.HIGH, "t-orange"), (Severity.MEDIUM, "t-amber"),
         (Severity.LOW, "t-blue"), (Severity.INFORMATIONAL, "t-grey")]  # fmt: skip
SPARK = (96, 32)


@dataclass(frozen=True, slots=True)
class Bar:
    """One colour of one day, in units of the picture."""

    tone: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day: its bars, where its label stands, and whether there is room for it."""

    day: Day
    bars: list[Bar]
    middle: str
    labelled: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart of columns, and its lines as (y, where the label stands, label)."""

    columns: list[Column]
    lines: list[tuple[str, str, str]]


def plot(given: Sequence[Day]) -> Plot:
    """Days side by side, severities on top of each other."""
    top = ceiling(max((day.total for day in given), default=0))
    scale, wide = (HEIGHT - TOP) / top, (WIDTH - LEFT) / max(1, len(given))
    every = max(1, math.ceil(len(given) / 8))
    columns = [_column(day, LEFT + wide * n, wide, scale, (len(given) - 1 - n) % every == 0)
               for n, day in enumerate(given)]  # fmt: skip
    steps = [top * n // LINES for n in range(LINES + 1)]
    return Plot(columns, [(_f(HEIGHT - n * scale), _f(HEIGHT - n * scale + 4), _short(n)) for n in steps])


def _column(day: Day, left: float, wide: float, scale: float, labelled: bool) -> Column:
    bars, base = [], float(HEIGHT)
    for severity, tone in STACK:
        if not (count := day.by_severity.get(severity.word, 0)):
            continue
        tall = max(1.5, count * scale)  # one critical alert among thousands is seen
        base -= tall
        bars.append(Bar(tone, _f(left + wide * 0.2), _f(base), _f(wide * 0.6), _f(max(1.0, tall - 0.6))))
    return Column(day, bars, _f(left + wide / 2), labelled)


def _short(number: int) -> str:
    return f"{number / 1000:g}k" if number >= 1000 else str(number)


def ceiling(most: int) -> int:
    """The top of a scale of four steps that reads well: the next of 4, 8, 20, 40, 80, 200 ..."""
    step = 1
    while True:
        for nice in (4, 8, 20):
            if most <= nice * step:
                return nice * step
        step *= 10


def spark(values: Sequence[float | None]) -> str:
    """The points of a small line, left to right, the highest value on top; a gap where there was nothing to measure is
    bridged. Empty for fewer than two values."""
    there = [(n, value) for n, value in enumerate(values) if value is not None]
    if len(there) < 2:
        return ""
    most, wide = max(value for _n, value in there) or 1.0, SPARK[0] / (len(values) - 1)
    return " ".join(f"{n * wide:.1f} {SPARK[1] - 3 - value / most * (SPARK[1] - 6):.1f}" for n, value in there)


def _f(number: float) -> str:
    return f"{number:.1f}"
