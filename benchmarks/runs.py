"""From an accepted alert to a finished playbook, and how quickly a backlog is worked off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import psycopg

from benchmarks import load, samples
from benchmarks.ingest import RAW_THEN, drain, dsn, raw_limit
from benchmarks.report import Row
from benchmarks.stack import Stack

CALM = 150  # alerts, five a second
BACKLOG = 1000
DRAINED = 200.0  # runs/s asked
LATENCIES = """
SELECT extract(epoch FROM r.finished_at - a.received_at) * 1000
FROM playbooks_run r JOIN cases_alert a ON a.id = r.alert_id
WHERE r.finished_at IS NOT NULL AND r.status = 'successful' AND a.source_ref LIKE %s
"""


def _alert(name: str, number: int) -> dict[str, object]:
    return {**samples.plain(number), "id": f"{name}-{number}", "tags": ["measure-runs"], "severity": "medium"}


def measure(stack: Stack) -> Iterator[Row]:
    """Latency at five alerts a second, then the drain of a thousand runs beside the raw limit."""
    source = json.loads(stack.manage("source", "create", "Measured runs", "--kind", "generic"))
    path = f"/api/v1/ingest/{source['slug']}/"

    def post(name: str, number: int) -> bytes:
        return load.request(path, samples.body(_alert(name, number)), source["token"])

    load.run(stack.port, 1, iter([post("warm", n) for n in range(20)]))
    _wait(stack, "warm-%", 20)
    begin = time.monotonic()
    for number in range(CALM):
        time.sleep(max(0.0, begin + number / 5 - time.monotonic()))
        load.run(stack.port, 1, iter([post("calm", number)]))
    times = sorted(_wait(stack, "calm-%", CALM))
    yield Row("accepted to playbook finished, p50", times[len(times) // 2], "ms", 20, "less")
    yield Row("accepted to playbook finished, p95", times[int(len(times) * 0.95)], "ms", 60, "less")
    raw = raw_limit(stack)
    yield Row("raw psycopg insert and commit, 8 clients", raw, "rows/s")
    rate = _backlog(stack, path, source["token"])
    ratio, wanted = rate / raw, DRAINED / RAW_THEN
    note = f"{ratio:.4f} of raw, {wanted:.4f} asked"
    yield Row("backlog of 1,000 drained", rate, "runs/s", DRAINED, "more", note, ratio, wanted)


def _backlog(stack: Stack, path: str, token: str) -> float:
    """Runs a second, from the first to begin to the last to end."""
    drain(stack)
    lists = [[_alert("backlog", n + k) for k in range(100)] for n in range(0, BACKLOG, 100)]
    load.run(stack.port, 2, iter([load.request(path, samples.body(one), token) for one in lists]))
    _wait(stack, "backlog-%", BACKLOG)
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(r.finished_at) - min(r.started_at)) FROM playbooks_run r"
            " JOIN cases_alert a ON a.id = r.alert_id WHERE a.source_ref LIKE 'backlog-%%'"
        ).fetchone()
    return BACKLOG / (float(row[0]) if row and row[0] else 1.0)


def _wait(stack: Stack, pattern: str, number: int, seconds: float = 180.0) -> list[float]:
    end = time.monotonic() + seconds
    times: list[float] = []
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        while time.monotonic() < end:
            times = [float(row[0]) for row in connection.execute(LATENCIES, [pattern])]
            if len(times) >= number:
                return times
            time.sleep(0.3)
    raise RuntimeError(f"Only {len(times)} of {number} runs finished.")
