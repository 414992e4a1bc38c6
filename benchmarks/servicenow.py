"""Incidents and their ServiceNow tickets: how soon a change is on the other side, what a poll of many tickets costs,
and a queue that is drained within the instance's budget. The stand-in answers after 50 ms, on loopback."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import psycopg

from benchmarks.ingest import dsn
from benchmarks.report import Row
from benchmarks.stack import Stack
from soar.standins.server import Server
from soar.standins.servicenow.standin import ServiceNow

DELAY = 0.05  # seconds that the instance takes for an answer
TRACKED, MANY = 50, 10_000
QUEUED, BUDGET, WINDOW = 500, 100, 20.0  # changes; requests in so many seconds
SECRET = "only for this measurement"
SEVERITY = "SELECT severity FROM cases_incident WHERE id = %s"
WAITING = "SELECT count(*) FROM cases_ticketchange WHERE state <> 'done' AND state <> 'skipped'"
LINKED = "SELECT count(*) FROM cases_ticketlink WHERE state = 'linked'"
POLLED = "SELECT in_ok_at > %s FROM cases_servicenowinstance"


def measure(stack: Stack) -> Iterator[Row]:
    """Both directions, the quiet poll, the queue."""
    standin = ServiceNow()
    with Server([standin]) as server, psycopg.connect(dsn(stack), autocommit=True) as database:
        place = server.urls["servicenow"]
        desk = _Desk(place["control"])
        links = json.loads(_inside(stack, f"prepare({place['url']!r})").splitlines()[-1])
        _until(lambda: database.execute(LINKED).fetchone() == (len(links),), "tickets are made")
        tickets: dict[int, str] = dict(database.execute("SELECT incident_id, sys_id FROM cases_ticketlink").fetchall())
        desk.tell("delay", seconds=DELAY)
        yield from _there(stack, desk, tickets)
        yield from _here(stack, desk, database, tickets)
        yield from _queue(stack, desk, database, tickets)
        yield from _quiet(stack, desk, database)


class _Desk:
    """The other side's control."""

    def __init__(self, control: str) -> None:
        self.control, self.client = control, httpx.Client(timeout=120)

    def tell(self, verb: str, **wish: Any) -> Any:
        answer = self.client.post(f"{self.control}/{verb}", json=wish)
        answer.raise_for_status()
        return answer.json()

    def requests(self) -> list[dict[str, Any]]:
        """What came since ``forget``."""
        found: list[dict[str, Any]] = self.client.get(f"{self.control}/requests").json()
        return found


def _there(stack: Stack, desk: _Desk, tickets: dict[int, str]) -> Iterator[Row]:
    """From the commit of a change here until the instance has answered its write."""
    desk.tell("forget")
    edited = json.loads(_inside(stack, f"edit({list(tickets)})").splitlines()[-1])
    arrived: dict[str, datetime] = {}

    def all_there() -> bool:
        for one in desk.requests():
            if one["method"] == "PATCH":
                arrived.setdefault(one["path"].rpartition("/")[2], datetime.fromisoformat(one["at"]))
        return len(arrived) == len(tickets)

    _until(all_there, "changes are there")
    spent = sorted(
        (arrived[tickets[int(pk)]] - datetime.fromisoformat(at)).total_seconds() for pk, at in edited.items()
    )
    yield Row("a change here is there, p50", spent[len(spent) // 2] * 1000, "ms")
    yield Row("a change here is there, p95", spent[int(len(spent) * 0.95)] * 1000, "ms", 2000, "less")


def _here(stack: Stack, desk: _Desk, database: Any, tickets: dict[int, str]) -> Iterator[Row]:
    """From the answer to the webhook until the incident has changed."""
    spent = []
    address = f"http://127.0.0.1:{stack.port}/api/v1/servicenow/measured/events/"
    for incident, sys_id in list(tickets.items())[:30]:
        desk.tell("change", sys_id=sys_id, set={"impact": "3", "urgency": "3"})
        begin = time.perf_counter()
        desk.client.post(address, json={}, headers={"X-Soar-Secret": SECRET}).raise_for_status()
        _until(lambda pk=incident: database.execute(SEVERITY, [pk]).fetchone() == (0,), "a change is here", 0.01)
        spent.append(time.perf_counter() - begin)
    spent.sort()
    yield Row("a change there is here after the webhook, p50", spent[len(spent) // 2] * 1000, "ms")
    yield Row("a change there is here after the webhook, p95", spent[int(len(spent) * 0.95)] * 1000, "ms", 2000, "less")


def _queue(stack: Stack, desk: _Desk, database: Any, tickets: dict[int, str]) -> Iterator[Row]:
    """500 notes that waited, with fewer requests allowed than they need."""
    _until(lambda: database.execute(WAITING).fetchone() == (0,), "the queue is empty")
    database.execute("UPDATE cases_servicenowinstance SET out_paused = true")
    _inside(stack, f"note({list(tickets)}, {QUEUED})")
    _until(lambda: database.execute(WAITING).fetchone() == (QUEUED,), "changes are queued")
    desk.tell("forget")
    desk.tell("budget", per_hour=BUDGET, window=WINDOW)
    begin = time.perf_counter()
    database.execute("UPDATE cases_servicenowinstance SET out_paused = false")
    _until(lambda: database.execute(WAITING).fetchone() == (0,), "the queue is drained", 0.2, 600)
    spent = time.perf_counter() - begin
    desk.tell("budget", per_hour=None)
    asked = [one for one in desk.requests() if one["status"] != 202]
    refused = [one for one in asked if one["status"] == 429]
    windows = int(spent / WINDOW) + 1
    yield Row(f"{QUEUED} queued changes with {BUDGET} requests in {WINDOW:.0f} s", spent, "s")
    share = 100 * (len(asked) - len(refused)) / (BUDGET * windows)
    yield Row("requests that were taken, share of the budget", share, "%", 100, "less")
    yield Row("requests over the budget (429), a window", len(refused) / windows, "requests", 4, "less")
    yield Row("notes out of order, lost or doubled", _disorder(desk, tickets), "notes", 0, "less")


def _disorder(desk: _Desk, tickets: dict[int, str]) -> int:
    wrong, told = 0, defaultdict(list)
    for pk, sys_id in tickets.items():
        ticket = desk.client.get(f"{desk.control}/ticket", params={"sys_id": sys_id}).json()
        told[pk] = [int(one["value"].partition("Queued ")[2].split()[0]) for one in ticket["journal"]]
        wrong += sum(1 for before, after in zip(told[pk], told[pk][1:], strict=False) if before >= after)
    return wrong + abs(sum(map(len, told.values())) - QUEUED)


def _quiet(stack: Stack, desk: _Desk, database: Any) -> Iterator[Row]:
    """Polls of many linked incidents when nothing has changed."""
    installation = database.execute("SELECT installation FROM cases_servicenowinstance").fetchone()[0]
    desk.tell("delay", seconds=0)
    desk.tell("clock", skew=-86_400)  # made yesterday
    pattern = f"soar:{installation}:many-{{n}}:measured"
    made = desk.tell("stock", tickets=MANY, correlation=pattern)["stocked"]
    desk.tell("clock", skew=0)
    desk.tell("delay", seconds=DELAY)
    _inside(stack, f"many({[one['sys_id'] for one in made]!r}, {pattern!r})", by_input=True)
    for what, reconciling in (("poll", False), ("slow look at each ticket (once an hour)", True)):
        later = "now()" if reconciling else "now() + interval '1 hour'"
        database.execute("UPDATE cases_servicenowinstance SET due_at = now() + interval '1 hour', leased_until = NULL")
        time.sleep(1.0)  # whatever was under way is over
        database.execute(f"UPDATE cases_servicenowinstance SET read_until = now(), reconcile_at = {later}")
        desk.tell("forget")
        begin, since = time.perf_counter(), database.execute("SELECT now()").fetchone()[0]
        database.execute("UPDATE cases_servicenowinstance SET due_at = now()")
        _until(lambda at=since: database.execute(POLLED, [at]).fetchone() == (True,), "the poll ends", 0.02)
        spent = time.perf_counter() - begin
        asked = len(desk.requests())
        name = f"{what}, {MANY:,} linked incidents, nothing changed"
        yield Row(f"{name}: requests", asked, "requests", None if reconciling else 19, "less")
        yield Row(f"{name}: until it ended", spent, "s")


def _until(condition: Any, what: str, pause: float = 0.1, seconds: float = 180.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"It took too long until {what}.")
        time.sleep(pause)


def _inside(stack: Stack, call: str, *, by_input: bool = False) -> str:
    """What a function of this module prints in the portal."""
    if not by_input:
        return stack.manage("shell", "-v0", "-c", f"from benchmarks.servicenow import *; {call}")
    file = stack.data / "measured.py"
    file.write_text(f"from benchmarks.servicenow import *\n{call}\n")
    return stack.manage("shell", "-v0", "-c", f"exec(open({str(file)!r}).read())")


def prepare(url: str) -> None:
    """In the portal: account, instance, a profile for all, and incidents; prints the ids of those."""
    from cases.actions import incidents
    from cases.actors import Actor
    from cases.models import ServiceNowInstance, TicketProfile
    from cases.servicenow.mapping import defaults
    from soar.connectors.actions import create_account

    given = {"url": url, "allow_internal": True, **ServiceNow.settings}
    account = create_account(None, "servicenow", "Measured", given, ServiceNow.secrets)
    instance = ServiceNowInstance.objects.create(account=account, slug="measured", webhook_secret=SECRET)
    TicketProfile.objects.create(
        instance=instance, name="Measured", enabled=True, automatic=True, **defaults("incident")
    )
    made = [incidents.open_incident(Actor.system(), title=f"Measured {n}", severity="high") for n in range(TRACKED)]
    print(json.dumps([one.pk for one in made]))


def edit(pks: list[int]) -> None:
    """In the portal: one change after the other; prints when each was committed."""
    from cases.actions import incidents
    from cases.actors import Actor
    from soar.lib import clock

    done = {}
    for pk in pks:
        incidents.update(Actor.system(), pk, changes={"severity": "critical"})
        done[pk] = clock.iso(clock.now())
        time.sleep(1)  # people do not all press at once
    print(json.dumps(done))


def note(pks: list[int], number: int) -> None:
    """In the portal: notes in turn."""
    from cases.actions import incidents
    from cases.actors import Actor

    for place in range(number):
        incidents.comment(Actor.system(), pks[place % len(pks)], f"Queued {place} of {number}")


def many(sys_ids: list[str], pattern: str) -> None:
    """In the portal: an incident with a link for each of these tickets, as if they had been made long ago."""
    from cases.models import Incident, ServiceNowInstance, TicketLink, TicketProfile
    from soar.lib import clock

    now = clock.now()
    instance, profile = ServiceNowInstance.objects.get(), TicketProfile.objects.get()
    rows = [Incident(title=f"Many {n}", severity=2, created_at=now, updated_at=now) for n in range(len(sys_ids))]
    Incident.objects.bulk_create(rows, batch_size=2000)
    links = [
        TicketLink(
            incident=row, instance=instance, profile=profile, table="incident", state="linked", sys_id=sys_id,
            number=f"MANY{n}", correlation_id=pattern.replace("{n}", str(n)), seen_mod_count=0, seen_updated_on=now,
            journal_until=now,
        )
        for n, (row, sys_id) in enumerate(zip(rows, sys_ids, strict=True))
    ]  # fmt: skip
    TicketLink.objects.bulk_create(links, batch_size=2000)
