"""What 200 suppression rules cost: the same alerts into two sources, one with the rules, by turns in one run.

The rules are of all sorts and none of them fits, so each alert is asked for everything. CPU time is counted, of all
processes of the stack, so that what else the machine does says nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

from benchmarks import mapping, samples
from benchmarks.report import Row
from benchmarks.stack import Stack

RULES = 200
AT_MOST = 1.10  # of what an alert costs without any rule
SETUP = """
import json
from datetime import timedelta
from cases.actions import suppression
from cases.actors import Actor
from soar.lib import clock
for conditions in json.loads({conditions!r}):
    suppression.create(Actor.system(), fields={{"name": "Bench", "reason": "Measuring", "all_teams": True,
        "expires_at": clock.now() + timedelta(days=1), "conditions": {{**conditions, "source": [{slug!r}]}}}})
"""


def rules() -> list[dict[str, list[str]]]:
    """40 of hosts, 40 of users, 30 of models, 30 of addresses, 20 of observables, 40 of titles."""
    found: list[dict[str, list[str]]] = []
    for n in range(RULES):
        kind = n % 20
        if kind < 4:
            found.append({"host": [f"printer-{n}"], "title": ["toner"]})
        elif kind < 8:
            found.append({"user": [f"service-{n}"]})
        elif kind < 11:
            found.append({"model": [f"Rule number {n}"], "severity": ["medium"]})
        elif kind < 14:
            found.append({"ip": [f"198.51.{n}.0/24" if kind == 13 else f"198.51.100.{n}"]})
        elif kind < 16:
            found.append({"observable": [f"noise{n}.bench-site.com"]})
        else:
            found.append({"title": [f"scheduled scan {n} of"]})
    return found


def measure(stack: Stack) -> Iterator[Row]:
    """CPU of an alert with and without, by turns; the best turn of each counts."""
    sources = [json.loads(stack.manage("source", "create", name, "--kind", "generic")) for name in ("Free", "Ruled")]
    setup = SETUP.format(slug=sources[1]["slug"], conditions=json.dumps(rules()))
    stack.manage("shell", "-v0", "-c", setup)
    spent: list[list[float]] = [[], []]
    first = 1
    for turn in range(mapping.TURNS + 1):
        for which in (0, 1) if turn % 2 else (1, 0):
            cpu = mapping.turn(stack, sources[which], first, samples.with_observables)
            first += mapping.ALERTS
            if turn:  # the first one warms up
                spent[which].append(cpu)
    plain, ruled = min(spent[0]), min(spent[1])
    yield Row("CPU of an alert without suppression rules", plain, "µs")
    note = f"{ruled / plain:.3f} of without"
    yield Row(f"CPU of an alert with {RULES} suppression rules", ruled, "µs", plain * AT_MOST, "less", note)
