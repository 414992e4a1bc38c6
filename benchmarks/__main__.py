"""``python -m benchmarks [PART...]``: all parts, or some of start, ingest, mapping, suppression, kinds, mails, iocs,
runs, responses, reports, backtest, servicenow, bulk, million, access, pages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import (
    access,
    backtest,
    bulk,
    every,
    ingest,
    iocs,
    kinds,
    mails,
    mapping,
    pages,
    reports,
    responses,
    runs,
    servicenow,
    suppression,
)
from benchmarks.report import Row, show
from benchmarks.stack import ROOT, Stack, stack

MILLION = int(os.environ.get("SOAR_BENCH_ALERTS", "1000000"))
HUNDRED_THOUSAND = int(os.environ.get("SOAR_BENCH_BULK", "100000"))
RESULTS = Path(__file__).parent / "results"


def start() -> Iterator[Row]:
    """First and second start with the demo, and what all processes weigh when idle."""
    with tempfile.TemporaryDirectory(prefix="soar-bench-") as folder:
        with stack(demo=True, data=Path(folder)) as first:
            yield Row("first start of manage.py up, with the demo", first.ready_after, "s", 60, "less")
            first.wait_for("demo: done")  # which a slow machine's first start does not wait for
        with stack(demo=True, data=Path(folder)) as second:
            yield Row("second start", second.ready_after, "s", 5, "less")
            time.sleep(20)
            memory = second.proportional_memory()
            yield Row("all processes, proportional set size, idle", memory, "MB", 800, "less")


def small() -> Iterator[Row]:
    """Ingest into an empty portal."""
    with stack() as one:
        one.settle()
        yield from ingest.measure(one)


def mapped() -> Iterator[Row]:
    """What a mapping adds to ingest."""
    with stack() as one:
        one.settle()
        yield from mapping.measure(one)


def suppressed() -> Iterator[Row]:
    """What 200 suppression rules add to ingest."""
    with stack() as one:
        one.settle()
        yield from suppression.measure(one)


def mailed() -> Iterator[Row]:
    """What a reported mail costs beside a generic alert."""
    with stack() as one:
        one.settle()
        yield from mails.measure(one)


def playbooks() -> Iterator[Row]:
    """Runs."""
    with stack() as one:
        one.settle()
        yield from runs.measure(one)


def response() -> Iterator[Row]:
    """Response playbooks."""
    with stack() as one:
        one.settle()
        yield from responses.measure(one)


def reported() -> Iterator[Row]:
    """A large incident as a report."""
    with stack() as one:
        one.settle()
        yield from reports.measure(one)


def tickets() -> Iterator[Row]:
    """Incidents and their ServiceNow tickets."""
    with stack() as one:
        one.settle()
        yield from servicenow.measure(one)


def filled(stack: Stack, number: int) -> None:
    """People, teams, a source and so many alerts."""
    for one in range(6):
        stack.manage("user", "create", f"bench{one}", "--role", "Analyst", "--team", f"Team {one % 3}")
    stack.manage("source", "create", "Fill", "--kind", "generic")
    code = f"from benchmarks.fill import fill; fill({number})"
    subprocess.run([sys.executable, "manage.py", "shell", "-v0", "-c", code], cwd=ROOT, env=stack.env, check=True)


def many_at_once() -> Iterator[Row]:
    """A change of a hundred thousand alerts."""
    with stack() as one:
        one.settle()
        filled(one, HUNDRED_THOUSAND)
        yield from bulk.measure(one, {"status": "any", "source": "fill"})


def million() -> Iterator[Row]:
    """Pages and ingest with a million alerts in the table."""
    with stack() as one:
        one.settle()
        filled(one, MILLION)
        yield from pages.measure(one)
        yield from bulk.measure(one, {"status": "any", "source": "fill", "received": "33h"}, f"at {MILLION:,}")
        yield from ingest.measure(one, f"at {MILLION:,}")


def granted() -> Iterator[Row]:
    """Lists and pages with many alerts, incidents, teams and grants."""
    with stack() as one:
        one.settle()
        access.shell(one, "teams()")
        filled(one, MILLION)
        yield from access.measure(one)


def every_page() -> Iterator[Row]:
    """Every page of the URL configuration with plenty of everything."""
    with stack() as one:
        one.settle()
        access.shell(one, "teams()")
        filled(one, MILLION)
        yield from every.measure(one)


PARTS: dict[str, Callable[[], Iterator[Row]]] = {
    "start": start,
    "ingest": small,
    "mapping": mapped,
    "suppression": suppressed,
    "iocs": iocs.measure,
    "kinds": kinds.main,
    "mails": mailed,
    "runs": playbooks,
    "responses": response,
    "reports": reported,
    "backtest": backtest.main,
    "servicenow": tickets,
    "bulk": many_at_once,
    "million": million,
    "access": granted,
    "pages": every_page,
}


def main() -> int:
    """Run the parts named on the command line, or all. Returns 1 when a figure falls short."""
    rows: list[Row] = []
    for name in sys.argv[1:] or PARTS:
        for row in PARTS[name]():
            show(row)
            rows.append(row)
    empty = {row.name: row.value for row in rows}
    for row in list(rows):
        base = empty.get(row.name.partition(" (")[0])
        if " (at " in row.name and row.unit == "alerts/s" and base:
            ratio = Row(f"{row.name} beside empty", row.value / base, "x", 0.5)
            show(ratio)
            rows.append(ratio)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    file.write_text(json.dumps([row.as_json() for row in rows], indent=1))
    return 1 if any(row.verdict == "FALL SHORT" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
