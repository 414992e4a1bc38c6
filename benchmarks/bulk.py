"""A change of a hundred thousand alerts by a filter, and its undo, while alerts come in and the queue is read.

What goes on beside has the pace of a busy day, the same before and meanwhile: it is to be seen whether it waits. At
full tilt it would take both processors for itself, and the change would tell of nothing but its share."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlencode

import httpx

from benchmarks import load, samples
from benchmarks.pages import get, prepare
from benchmarks.report import Row
from benchmarks.stack import Stack

ALERTS_A_SECOND, PAGES_A_SECOND = 20, 2
ENOUGH = 300.0  # seconds after which a job is given up


def measure(stack: Stack, wanted: dict[str, str], label: str = "") -> Iterator[Row]:
    """Tag all that match ``wanted``, then undo it; before and meanwhile the pace of ingest and of the queue."""
    suffix = f" ({label})" if label else ""
    made = prepare(stack)
    source = json.loads(stack.manage("source", "create", f"Meanwhile {label}", "--kind", "generic"))
    token = json.loads(stack.manage("token", "create", made["user"], "--name", f"bulk {label}"))["token"]
    beside = Beside(stack, made["cookie"], source)
    calm = beside.during(lambda: time.sleep(8))
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}/api/v1", timeout=60) as api:
        api.headers["Authorization"] = f"Bearer {token}"
        job: dict[str, object] = {}
        busy = beside.during(lambda: job.update(_tag(api, wanted)))
        undo: dict[str, object] = {}
        back = beside.during(lambda: undo.update(_work(api, f"/jobs/{job['id']}/undo/", {})))
    for name, done in (("change", job), ("undo", undo)):
        note = f"{done['done']:,} of {done['total']:,} alerts, {done['refused_count']} refused"
        yield Row(f"bulk {name} by filter{suffix}", float(str(done["seconds"])), "s", 60, "less", note)
    for name, (alerts, pages) in (("alone", calm), ("during the change", busy), ("during the undo", back)):
        note = f"{alerts.done / alerts.seconds:.0f}/s, slowest {alerts.percentile(1):.0f} ms"
        yield Row(f"ingest {name}, p95{suffix}", alerts.percentile(0.95), "ms", None, "less", note)
        note = f"p95 {pages.percentile(0.95):.0f}, slowest {pages.percentile(1):.0f} ms, {pages.done} pages"
        yield Row(f"queue {name}, p50{suffix}", pages.percentile(0.5), "ms", None, "less", note)


class Beside:
    """What goes on beside: alerts from a source, a person at the queue."""

    def __init__(self, stack: Stack, cookie: str, source: dict[str, str]) -> None:
        self.stack = stack
        self.page = get("/alerts/", cookie)
        self.path, self.token = f"/api/v1/ingest/{source['slug']}/", source["token"]
        self.number = 50_000_000

    def during(self, act: Callable[[], object]) -> tuple[load.Result, load.Result]:
        """``act`` with both going on: what became of ingest and of the queue. Raises RuntimeError for any refusal."""
        over = threading.Event()
        results: list[load.Result] = [load.Result(), load.Result()]

        def keep(place: int, make: Iterator[bytes]) -> None:
            results[place] = load.run(self.stack.port, 1, make)

        threads = [
            threading.Thread(target=keep, args=(0, self._alerts(over))),
            threading.Thread(target=keep, args=(1, self._pages(over))),
        ]
        for thread in threads:
            thread.start()
        act()
        over.set()
        for thread in threads:
            thread.join()
        for result in results:
            if any(status >= 300 for status in result.statuses):
                raise RuntimeError(f"Not all was well: {result.statuses}")
        return results[0], results[1]

    def _alerts(self, over: threading.Event) -> Iterator[bytes]:
        while not over.wait(1 / ALERTS_A_SECOND):
            self.number += 1
            yield load.request(self.path, samples.body(samples.plain(self.number)), self.token)

    def _pages(self, over: threading.Event) -> Iterator[bytes]:
        while not over.wait(1 / PAGES_A_SECOND):
            yield self.page


def _tag(api: httpx.Client, wanted: dict[str, str]) -> dict[str, object]:
    return _work(api, "/alerts/bulk/", {"filter": wanted, "action": "tag", "tags": ["measured"]})


def _work(api: httpx.Client, path: str, body: dict[str, object]) -> dict[str, object]:
    """The job that this call starts, when it has ended, with its seconds from the call to the end."""
    begin = time.perf_counter()
    answer = api.post(path, json=body)
    answer.raise_for_status()
    while time.perf_counter() - begin < ENOUGH:
        job: dict[str, object] = api.get(f"/jobs/{answer.json()['job']}/").raise_for_status().json()
        if job["finished_at"]:
            return {**job, "seconds": time.perf_counter() - begin}
        time.sleep(0.25)
    raise RuntimeError(f"{path}?{urlencode(body)} did not end")
