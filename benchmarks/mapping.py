"""What a mapping costs: the same facts into two sources, under names of the generic kind into one, under names that a
mapping of ten parts translates into the other, by turns in one run. Both sources come to know the same of an alert.

CPU time is counted, of all processes of the stack, so that what else the machine does says nothing."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import ingest, load, samples
from benchmarks.report import Row
from benchmarks.stack import Stack

TURNS = 6
ALERTS = 1_500
CLIENTS = 8
AT_MOST = 1.10  # of what an alert costs without a mapping
TICK = os.sysconf("SC_CLK_TCK")
MAPPING = {
    "fields": {
        "title": "${rule} on ${data.machine.label}",
        "severity": "$.data.level_of_it",
        "dedup_key": "$.ref",
        "occurred_at": "$.data.at",
        "hostname": "$.data.machine.label",
        "username": "$.data.person.login_name",
        "source_ip": "$.data.machine.addresses[0]",
        "detection_model": "$.rule",
        "tags": "$.data.marks",
    },
    "values": {"severity": {"1": "critical", "2": "high", "3": "medium", "4": "low"}},
    "observables": [{"type": "domain", "path": "$.data.asked_for"}],
}
SETUP = """
from cases.actions import mappings
from cases.actors import Actor
import json
mappings.save(Actor.system(), {slug!r}, json.loads({mapping!r}))
"""


def alert(number: int) -> dict[str, object]:
    """An alert of a product that nobody knows, about 500 bytes."""
    a, b = number // 250 % 250, number % 250
    machine = {"label": f"plant-{number % 500:04d}", "addresses": [f"203.0.{a}.{b + 1}"]}
    data = {
        "level_of_it": number % 4 + 1,
        "at": "2026-03-12T09:41:07+01:00",
        "machine": machine,
        "person": {"login_name": f"user{number % 300}"},
        "marks": ["bench", f"t{number % 12}"],
        "asked_for": f"host{number}.bench-site.com",
    }
    return {"ref": f"map-{number}", "rule": "Suspicious process", "data": data, "story": samples.PAD * 2}


def known(number: int) -> dict[str, object]:
    """The same alert under the names of the generic kind; what is left over makes it as long."""
    given: dict[str, Any] = alert(number)
    data = given["data"]
    return {
        "id": given["ref"],
        "title": f"{given['rule']} on {data['machine']['label']}",
        "severity": ("critical", "high", "medium", "low")[data["level_of_it"] - 1],
        "occurred_at": data["at"],
        "hostname": data["machine"]["label"],
        "username": data["person"]["login_name"],
        "source_ip": data["machine"]["addresses"][0],
        "detection_model": given["rule"],
        "tags": data["marks"],
        "observables": [{"type": "domain", "value": data["asked_for"]}],
        "story": given["story"],
    }


def measure(stack: Stack) -> Iterator[Row]:
    """CPU of an alert with and without, by turns; the best turn of each counts."""
    sources = [json.loads(stack.manage("source", "create", name, "--kind", "generic")) for name in ("Plain", "Mapped")]
    stack.manage("shell", "-v0", "-c", SETUP.format(slug=sources[1]["slug"], mapping=json.dumps(MAPPING)))
    costs: list[list[float]] = [[], []]
    first = 1
    for number in range(TURNS + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            cpu = turn(stack, sources[which], first, (known, alert)[which])
            first += ALERTS
            if number:  # the first one warms up
                costs[which].append(cpu)
    plain, mapped = min(costs[0]), min(costs[1])
    yield Row("CPU of an alert without a mapping", plain, "µs")
    note = f"{mapped / plain:.3f} of without"
    yield Row("CPU of an alert with a mapping of 10 parts", mapped, "µs", plain * AT_MOST, "less", note)
    _same(stack)
    before, after = json.loads(stack.manage("shell", "-v0", "-c", "from benchmarks.mapping import reading; reading()"))
    note = f"{before:.0f} µs without, {after:.0f} µs with; of an alert's whole cost {(after - before) / plain:.3f}"
    yield Row("of it reading by the mapping", after - before, "µs", note=note)


def _same(stack: Stack) -> None:
    """Raises RuntimeError unless the last alerts of both sources say the same."""
    code = "from benchmarks.mapping import told; told()"
    plain, mapped = json.loads(stack.manage("shell", "-v0", "-c", code))
    if plain != mapped:
        raise RuntimeError(f"The sources do not know the same: {plain} {mapped}")


def told() -> None:
    """Print what the last alert of each source is known by. Run by manage.py shell."""
    from cases.models import Alert, AlertAsset

    said = []
    for name in ("Plain", "Mapped"):
        row = Alert.objects.filter(source__name=name).order_by("-pk")[0]
        seen = [bool(row.title), bool(row.hostname), bool(row.username), bool(row.source_ip), row.detection_model]
        said.append([*seen, len(row.tags), row.observable_links.count(), AlertAsset.objects.filter(alert=row).count()])
    print(json.dumps(said))


def reading() -> None:
    """Print the CPU of reading and preparing one alert in microseconds, without and with. Run by manage.py shell."""
    from cases.ingest.mapping.document import checked
    from cases.ingest.mapping.overlay import compiled
    from cases.ingest.prepare import Rules
    from cases.ingest.splitting import rows_of
    from soar.lib import clock

    plain = Rules(1, "Measured", "generic", None, 2, "amber", [], [], "auto", False, 1)
    mapped = replace(plain, mapping=compiled(checked(MAPPING)))
    bodies = [samples.body(alert(number)) for number in range(600)]
    best = [1e9, 1e9]
    for _ in range(8):
        for which, rules in enumerate((plain, mapped)):
            before = time.process_time()
            for body in bodies:
                rows_of(rules, body, "", clock.now())
            best[which] = min(best[which], (time.process_time() - before) / len(bodies) * 1e6)
    print(json.dumps(best))


def turn(stack: Stack, source: dict[str, str], first: int, made: Callable[[int], dict[str, object]] = alert) -> float:
    """Microseconds of CPU for each of ALERTS alerts, until the workers have looked at them."""
    path = f"/api/v1/ingest/{source['slug']}/"
    return spent(stack, [load.request(path, samples.body(made(first + n)), source["token"]) for n in range(ALERTS)])


def spent(stack: Stack, sent: list[bytes]) -> float:
    """Microseconds of CPU for each of these requests, every one a new alert, until the workers have looked at them."""
    before = cpu_of(stack)
    result = load.run(stack.port, CLIENTS, iter(sent))
    ingest.drain(stack)
    if result.statuses != {201: len(sent)}:
        raise RuntimeError(f"Not all were made: {result.statuses}")
    return (cpu_of(stack) - before) / len(sent) * 1e6


def cpu_of(stack: Stack) -> float:
    """Seconds of CPU that the stack's processes have had, with those of their children that have ended."""
    total = 0
    for pid in stack.processes():
        try:
            text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        except OSError:
            continue
        total += sum(int(value) for value in text.rpartition(")")[2].split()[11:15])
    return total / TICK
