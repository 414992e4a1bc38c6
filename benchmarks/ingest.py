"""Ingest beside the raw limit: what this database does with plain INSERT and COMMIT, measured in the same run."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg

from benchmarks import load, samples
from benchmarks.report import Row
from benchmarks.stack import Stack

CLIENTS = 8
SECONDS = 8.0
RAW_THEN = 8000.0  # rows/s by 8 clients on the machine that the targets were set on (rulings 31: ratio or absolute)
_first = itertools.count(1, 10_000_000)


def measure(stack: Stack, label: str = "") -> Iterator[Row]:
    """Single alerts, with and without observables, and lists of 100; then the raw limit."""
    source = json.loads(stack.manage("source", "create", f"Measured {label or 'empty'}", "--kind", "generic"))
    path = f"/api/v1/ingest/{source['slug']}/"

    def go(make: Callable[[int], bytes], per: int = 1) -> float:
        first = next(_first)
        made = [load.request(path, make(first + n * per), source["token"]) for n in range(15_000 if per == 1 else 600)]
        load.run(stack.port, CLIENTS, iter(made[: 200 if per == 1 else 10]))
        result = load.run(stack.port, CLIENTS, iter(made[200 if per == 1 else 10 :]), seconds=SECONDS)
        if any(status >= 300 for status in result.statuses):
            raise RuntimeError(f"Not all were accepted: {result.statuses}")
        return result.done * per / result.seconds

    suffix = f" ({label})" if label else ""
    raw = raw_limit(stack)
    plain = go(lambda n: samples.body(samples.plain(n)))
    drain(stack)
    four = go(lambda n: samples.body(samples.with_observables(n)))
    drain(stack)
    listed = go(lambda n: samples.body([samples.plain(n + k) for k in range(100)]), per=100)
    drain(stack)
    yield Row(f"raw psycopg insert and commit, 8 clients{suffix}", raw, "rows/s")
    for name, rate, target in (("plain", plain, 1500), ("4 observables", four, 800), ("list of 100", listed, 4000)):
        ratio, wanted = rate / raw, target / RAW_THEN
        note = f"{ratio:.2f} of raw" + ("" if label else f", {wanted:.2f} asked")
        yield Row(
            f"ingest, {name}, 8 clients{suffix}",
            rate,
            "alerts/s",
            None if label else target,
            "more",
            note,
            ratio,
            wanted,
        )


def drain(stack: Stack, seconds: float = 120.0) -> None:
    """Wait until the workers have looked at everything, so that one figure does not pay for another."""
    end = time.monotonic() + seconds
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        while time.monotonic() < end:
            row = connection.execute("SELECT count(*) FROM soar_queue WHERE failed_at IS NULL").fetchone()
            if not row or not row[0]:
                return
            time.sleep(0.5)


def dsn(stack: Stack) -> str:
    """How to reach the stack's database directly."""
    return f"host={stack.data / 'run'} user=soar dbname=soar"


def raw_limit(stack: Stack, seconds: float = 4.0) -> float:
    """Rows a second of INSERT and COMMIT of a 450-byte row by 8 clients of the same machine."""
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS raw_limit (id bigserial PRIMARY KEY, key text, body text)")

    def client(number: int) -> int:
        done = 0
        body = json.dumps(samples.plain(number))
        end = time.perf_counter() + seconds
        with psycopg.connect(dsn(stack)) as connection:
            while time.perf_counter() < end:
                connection.execute(
                    "INSERT INTO raw_limit (key, body) VALUES (%s, %s)", [f"{number}-{done}", body], prepare=True
                )
                connection.commit()
                done += 1
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        rate = sum(pool.map(client, range(CLIENTS))) / seconds
    with psycopg.connect(dsn(stack), autocommit=True) as connection:
        connection.execute("DROP TABLE raw_limit")
    return rate
