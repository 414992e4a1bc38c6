"""Every page of the portal, listed from the URL configuration, as a browser gets it: the whole answer, one reader.

The pages and what their addresses stand for are those of the tests of all pages (tests/pages): plenty of everything,
here beside a million alerts and 20,000 incidents, and the incident with 2,000 entries, 500 observables, 100 alerts."""

from __future__ import annotations

import gzip
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks import access, ingest, mapping, reports
from benchmarks.calm import calm
from benchmarks.report import Row
from benchmarks.stack import Stack

ROUNDS, WARM = 15, 3
AT_MOST, SIZE = 60.0, 100_000  # milliseconds, bytes (interface.md 9)
OK = 200
TICKETS = 3  # of the large incident
# What an admin's browser takes with it.
HEADERS = {"Host": "127.0.0.1", "Accept": "text/html", "Accept-Encoding": "gzip"}


@dataclass
class Page:
    """One address, who asks for it, and how long it took, in milliseconds."""

    route: str
    path: str
    cookie: str
    status: int
    times: list[float] = field(default_factory=list)
    cpu: float = 0.0
    size: int = 0


def make() -> None:
    """Make the things that addresses name; print the pages. Run by manage.py shell."""
    from django.conf import settings

    from cases.models import Asset, Observable, TicketLink
    from tests.crossing.operations import Operation
    from tests.pages import worlds
    from tests.pages.addresses import FILES, OTHERWISE, gets, who

    world = worlds.plentiful(settings, Path(settings.DATA_DIR))
    # It has a ticket by each of 28 profiles: 1,200 notes to each are the load of a day, not of one incident's page.
    links = TicketLink.objects.filter(incident=int(str(world.shown["incident"]).removeprefix("INC-"))).order_by("pk")
    links.exclude(pk__in=list(links.values_list("pk", flat=True)[:TICKETS])).delete()
    reports.grow(world.cast.user("admin"), str(world.shown["incident"]))
    # What many alerts name: each twentieth this address, each four-thousandth this host.
    world.shown["observable"] = Observable.objects.get(value="9.9.9.9").pk
    world.shown["asset"] = Asset.objects.get(key="host-20").pk

    def told(one: Operation) -> dict[str, Any]:
        name = who(one, "admin")
        return {
            "route": one.route,
            "path": one.path(world.values(one, "")),
            "cookie": world.cast[name].session or "",
            "status": OTHERWISE.get(one.route, 200),
        }

    print(json.dumps([told(one) for one in gets() if one.route not in FILES]))


def measure(stack: Stack) -> Iterator[Row]:
    """p50 of each page, the worst first. The alerts are there, and ``access.teams`` was run."""
    access.shell(stack, "grant()")
    told = stack.manage("shell", "-v0", "-c", "from benchmarks import every; every.make()")
    calm(stack)
    ingest.drain(stack)
    yield from asked(stack, told.strip().splitlines()[-1])


def asked(stack: Stack, told: str) -> Iterator[Row]:
    """The same of the pages that ``make`` has printed."""
    asked_for = [Page(**one) for one in json.loads(told)]
    first = [_ask(stack, page)[0] for page in asked_for]
    odd = [f"{page.path}: {status}" for page, status in zip(asked_for, first, strict=True) if _odd(page, status)]
    if odd:
        raise RuntimeError("\n".join(["These are pages, and answered otherwise:", *odd]))
    pages = [page for page, status in zip(asked_for, first, strict=True) if status == OK]
    for page in pages:
        _measure(stack, page)
    pages.sort(key=lambda page: -statistics.median(page.times))
    late = [page for page in pages if statistics.median(page.times) > AT_MOST]
    large = [page for page in pages if page.size >= SIZE]
    yield Row("pages from the URL configuration", len(pages), "pages")
    yield Row(f"of these above {AT_MOST:.0f} ms, p50", len(late), "pages", 0, "less", _named(late))
    yield Row(f"of these of {SIZE / 1000:.0f} KB or more", len(large), "pages", 0, "less", _named(large))
    for page in pages:
        note = f"least {min(page.times):.0f}, {page.cpu:.0f} ms of CPU, {page.size / 1024:.0f} KB"
        yield Row(f"/{page.route}", statistics.median(page.times), "ms", AT_MOST, "less", note)


def _named(pages: list[Page]) -> str:
    return ", ".join(f"/{page.route}" for page in pages)


def _odd(page: Page, status: int) -> bool:
    """Whether a page did not come; some addresses rightly answer otherwise, and some take no GET."""
    return page.status == OK and status not in (OK, 405)


def _measure(stack: Stack, page: Page) -> None:
    for _ in range(WARM):
        _ask(stack, page)
    before = mapping.cpu_of(stack)
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        _, body = _ask(stack, page)
        page.times.append((time.perf_counter() - begin) * 1000)
    page.cpu = (mapping.cpu_of(stack) - before) / ROUNDS * 1000
    page.size = len(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)


_open: dict[int, HTTPConnection] = {}


def _ask(stack: Stack, page: Page) -> tuple[int, bytes]:
    """Status and body, over one connection that is kept, as a browser keeps it."""
    connection = _open.setdefault(stack.port, HTTPConnection("127.0.0.1", stack.port, timeout=120))
    connection.request("GET", page.path, headers={**HEADERS, "Cookie": f"sessionid={page.cookie}"})
    answer = connection.getresponse()
    return answer.status, answer.read()
