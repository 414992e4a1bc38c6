"""An incident with 2,000 entries of its timeline, 500 observables and 100 alerts as a report: how long until the PDF is
there, made by a worker beside everything else, and how long the quick formats take."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx

from benchmarks.report import Row
from benchmarks.stack import Stack

if TYPE_CHECKING:
    from soar.accounts.models import User

ALERTS, OBSERVABLES, ENTRIES = 100, 500, 2000
AT_MOST = 60.0  # seconds for the PDF
QUICK = {"html": 15.0, "md": 5.0}
SETUP = "from benchmarks.reports import make; print(make())"


def measure(stack: Stack) -> Iterator[Row]:
    """Seconds from the call to the file, by format."""
    number = stack.manage("shell", "-v0", "-c", SETUP).split()[-1]
    token = json.loads(stack.manage("token", "create", "admin"))["token"]
    with httpx.Client(
        base_url=f"http://127.0.0.1:{stack.port}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=120
    ) as client:
        seconds, size, steps = _pdf(client, number)
        yield Row("PDF of a large incident, by a worker", seconds, "s", AT_MOST, "less", f"{size:,} bytes")
        yield Row("steps of progress that were seen on the way", steps, "", 3, "more")
        for format, most in QUICK.items():
            begin = time.perf_counter()
            answer = client.get(f"/incidents/{number}/export/", params={"format": format})
            answer.raise_for_status()
            took = time.perf_counter() - begin
            yield Row(f"the same as {format}, at once", took, "s", most, "less", f"{len(answer.content):,} bytes")


def _pdf(client: httpx.Client, number: str) -> tuple[float, int, int]:
    """Seconds, bytes, and how many different figures of progress were seen."""
    begin, seen = time.perf_counter(), set()
    job = client.get(f"/incidents/{number}/export/", params={"format": "pdf"}).json()["job"]
    while not (state := _state(client, job))["finished_at"]:
        seen.add(state["progress"])
        time.sleep(0.5)
    if state["status"] != "successful":
        raise RuntimeError(state["message"])
    client.get(f"/exports/{job}/file/").raise_for_status()
    return time.perf_counter() - begin, state["size"], len(seen)


def _state(client: httpx.Client, job: int) -> dict[str, Any]:
    state: dict[str, Any] = client.get(f"/exports/{job}/").raise_for_status().json()
    return state


def make() -> str:
    """The incident, made by the product's own actions; its number. Called inside of a portal."""
    from cases.actions import incidents
    from cases.actors import Actor
    from soar.accounts.models import User

    admin = User.objects.get(username="admin")
    incident = incidents.open_incident(Actor.of(admin), title="Beaconing in the finance network", alerts=[])
    grow(admin, incident.number)
    return incident.number


def grow(user: User, number: str) -> None:
    """Let a person link alerts to the incident and comment on it until it is as large as is measured."""
    from cases.actions import incidents, links, manual
    from cases.actors import Actor
    from cases.models import Incident

    actor, each = Actor.of(user), OBSERVABLES // ALERTS
    incident = Incident.objects.get(pk=int(number.removeprefix("INC-")))
    missing = ALERTS - incident.alerts.count()
    links.link(actor, [manual.create_by_hand(actor, fields=_alert(n, each)).pk for n in range(missing)], incident.pk)
    incident.refresh_from_db()
    for n in range(max(0, ENTRIES - incident.timeline_count)):
        incidents.comment(actor, incident.pk, f"Looked at host {n}: **nothing new**, the `svc{n}` is ours.")


def _alert(number: int, observables: int) -> dict[str, Any]:
    """An alert of the incident, with so many observables that no other has."""
    return {
        "title": f"Beacon from FIN-LT-{number:04d} to a rare domain",
        "severity": "high",
        "description": "The sensor saw a regular connection to an address that nothing else talks to. " * 3,
        "hostname": f"FIN-LT-{number:04d}",
        "observables": [
            {"type": "ip", "value": f"198.51.{number}.{1 + n}"}
            if n % 2
            else {"type": "domain", "value": f"host{n}.bench{number}.com"}
            for n in range(observables)
        ],
    }
