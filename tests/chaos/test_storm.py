"""Everything at once: kill -9 of each part at random, failing products, a disk that fills up, a clock that is turned,
a playbook's file that is half written or away for a moment, two more hosts with workers whose clocks are wrong by a
minute, one each way.

``SOAR_STORM_SECONDS``: how long (``make chaos``: 600; without it there is none); ``SOAR_SEED``: the same choices again.
At the end everything is mended and comes to rest; then no accepted alert is lost, nothing is doubled, no run is stuck,
and both sides of every connector are as the pages say."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.chaos.far_host import FarHost
from tests.chaos.records import check_alerts, check_effects, database_of, unfinished
from tests.chaos.storm import MIB, Clock, Code, Disk, Range, Sender, Site
from tests.portal import ROOT

pytestmark = pytest.mark.chaos
SECONDS = float(os.environ.get("SOAR_STORM_SECONDS", "20"))
SEED = int(os.environ.get("SOAR_SEED", str(time.time_ns() % 100_000)))
DISK = 1_200  # MiB
LEFT = (0, 3 * MIB)  # what a full disk has left
FULL = 8.0  # seconds for which it stays so
TORN = 8.0  # seconds for which a playbook's file stays broken
FAR = (60, -60)  # seconds by which the clocks of the other hosts are ahead of the machine's
TURN = min(300, round(SECONDS / 2))  # seconds by which the clock is wrong at most
LEASE = "5"
EVENTS = {
    "worker": 4, "web": 3, "scheduler": 2, "database": 2, "supervisor": 1, "below": 3, "fault": 8, "note": 2,
    "clock": 2, "disk": 1, "far": 3, "code": 2,
}  # fmt: skip


class Storm:
    """The events and what they need."""

    def __init__(self, folder: Path) -> None:
        self.chance = random.Random(SEED)
        self.disk, self.clock = Disk(folder / "disk", DISK), Clock(folder)
        self.code = Code(Path(__file__).parent / "playbooks" / "effects.py", folder / "playbooks")
        playbooks = str(self.code.file.parent)
        environment = {"SOAR_PLAYBOOK_DIRS": playbooks, "SOAR_LEASE_SECONDS": LEASE, **self.clock.environment}
        self.site = Site(self.disk.folder / "data", **environment)
        self.hosts = [FarHost(folder, self.site, ahead) for ahead in FAR]
        self.range = Range(self.chance)
        self.done: Counter[str] = Counter()
        self.full_until = self.torn_until = 0.0

    def blow(self, seconds: float) -> None:
        """For so long; each kind of thing at least once."""
        end, must = time.monotonic() + seconds, self.chance.sample(list(EVENTS), len(EVENTS))
        while time.monotonic() < end:
            self.event(must.pop() if must else self.chance.choices(list(EVENTS), [*EVENTS.values()])[0])
            self.rest(self.chance.uniform(0.2, 2.5))

    def rest(self, seconds: float) -> None:
        """Nothing new; what has ended is started again, and a full disk does not stay so for ever."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.site.keep()
            for host in self.hosts:
                host.keep()
            if self.full_until and time.monotonic() > self.full_until:
                self.full_until = 0
                self.disk.clear()
            if self.torn_until and time.monotonic() > self.torn_until:
                self.torn_until = 0
                self.code.mend()
            time.sleep(0.05)

    def event(self, what: str) -> None:
        """One of ``EVENTS``."""
        if what == "fault":
            self.range.fault()
        elif what == "note":
            self.range.note()
        elif what == "clock":
            self.clock.turn(self.chance.randint(-TURN, TURN))
        elif what == "code":
            self.code.tear(self.chance.choice([0.0, 0.5]))
            self.torn_until = time.monotonic() + TORN
        elif what == "disk":
            self.disk.fill(self.chance.choice(LEFT))
            self.full_until = time.monotonic() + FULL
        elif not self.kill(what):
            return
        self.done[what] += 1

    def kill(self, what: str) -> bool:
        """A part's first process, or any process below one. Whether there was one."""
        if what == "far":
            return self.end(self.chance.choice(self.hosts).pids())
        role = self.chance.choice(["web", "worker", "scheduler", "database"]) if what == "below" else what
        pids = self.site.pids(role)
        return self.end(pids[1:] if what == "below" else pids[:1])

    def end(self, pids: list[int]) -> bool:
        """kill -9 of one of these. Whether there was one."""
        if not pids:
            return False
        with suppress(ProcessLookupError):
            os.kill(self.chance.choice(pids), signal.SIGKILL)
            return True
        return False

    def mend(self) -> None:
        """Everything is well again, and ready."""
        self.disk.clear()
        self.clock.turn(0)
        self.range.calm()
        self.code.mend()
        self.full_until = self.torn_until = 0
        self.until(self.site.is_ready, 180, "not ready after the storm")

    def until(self, true: Any, seconds: float, message: str) -> None:
        """Wait for something; fails with the end of the log."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"{message}\n" + "\n".join(self.site.said()[-80:])
            self.rest(0.2)

    def inside(self, verb: str) -> Any:
        """What tests.chaos.storm_inside says."""
        command = [sys.executable, "-m", "tests.chaos.storm_inside", verb, json.dumps(self.range.server.urls)]
        environment = {**self.site._environment(), "DJANGO_SETTINGS_MODULE": "soar.settings"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return json.loads(done.stdout)


@contextmanager
def raised() -> Iterator[Storm]:
    folder = Path(tempfile.mkdtemp(prefix="soar-storm-"))
    folder.chmod(0o711)
    storm = Storm(folder)
    try:
        with storm.range.server:
            storm.site.start(600)
            yield storm
    finally:
        storm.disk.clear()
        for host in storm.hosts:
            host.remove()
        storm.site.clean_up()
        if kept := os.environ.get("SOAR_STORM_LOG"):
            far = [line for one in storm.hosts if one.log.exists() for line in one.log.read_text().splitlines()]
            Path(kept).write_text("\n".join([*storm.site.said(), *far]), encoding="utf-8")
        storm.range.http.close()
        storm.disk.remove()
        shutil.rmtree(folder, ignore_errors=True)


def test_the_storm() -> None:
    print(f"SOAR_SEED={SEED} SOAR_STORM_SECONDS={SECONDS:.0f}")
    with raised() as storm:
        storm.inside("setup")
        senders = _senders(storm.site)
        for one in senders:
            one.start()
        storm.blow(SECONDS)
        for one in senders:
            one.stopping.set()
        storm.mend()
        for one in senders:
            one.join(60)
        print(f"{dict(storm.done)}; {dict(storm.range.ordered)}; {storm.site.starts} starts by the keeper")
        print(f"starts of the far workers: {[one.starts for one in storm.hosts]}")
        with database_of(storm.site) as database:
            _come_to_rest(storm, database)
            _check(storm, senders, database)


def _senders(site: Site) -> list[Sender]:
    source = json.loads(site.manage("source", "create", "Storm", "--kind", "generic"))
    return [
        Sender("plain", site, source, SEED), Sender("keyed", site, source, SEED, keyed=True),
        Sender("respond", site, source, SEED, response=True),
        Sender("respondkeyed", site, source, SEED, response=True, keyed=True),
    ]  # fmt: skip


def _come_to_rest(storm: Storm, database: psycopg.Connection[Any]) -> None:
    """Until every run has ended, nothing is queued and nothing waits for ServiceNow, three times in a row."""
    started, quiet = time.monotonic(), 0
    database.execute("UPDATE cases_servicenowinstance SET reconcile_at = now()")
    while quiet < 3:
        storm.until(lambda: unfinished(database) == 0, 300 + SECONDS / 2, f"not at rest: {_left(database)}")
        quiet = quiet + 1 if storm.inside("pass")["open"] == 0 and unfinished(database) == 0 else 0
        assert time.monotonic() < started + 900, f"no rest: {_left(database)}"
    print(f"at rest after {time.monotonic() - started:.0f} s")


def _left(database: psycopg.Connection[Any]) -> list[Any]:
    runs = "SELECT 'run', id, status, lease_until::text FROM playbooks_run WHERE finished_at IS NULL LIMIT 20"
    queue = "SELECT task, args::text, starts, ready_at::text FROM soar_queue WHERE failed_at IS NULL LIMIT 20"
    return [*database.execute(runs).fetchall(), *database.execute(queue).fetchall()]


def _check(storm: Storm, senders: list[Sender], database: psycopg.Connection[Any]) -> None:
    assert not sum((one.odd for one in senders), Counter()), "an answer that was neither 2xx nor 503 with Retry-After"
    accepted = {ref for one in senders for ref in one.accepted}
    check_alerts(database, accepted, len(senders))
    for one in senders:
        _check_counts(one, database)
    marked = {ref for one in senders if not one.response for ref in one.accepted}
    ended = check_effects(database, storm.site, marked)
    given_up = database.execute("SELECT task, args::text, error FROM soar_queue WHERE failed_at IS NOT NULL").fetchall()
    told = storm.inside("check")
    refused = sum(one.refused for one in senders)
    print(f"{len(accepted)} accepted, {refused} refused; effects {dict(ended)}; {told['counts']}")
    assert told["wrong"] == []
    assert given_up == []
    print(storm.site.manage("verify_timeline"))
    print(storm.site.manage("verify_evidence"))


def _check_counts(sender: Sender, database: psycopg.Connection[Any]) -> None:
    """An alert counts each delivery once: with an Idempotency-Key exactly, without one a lost answer may count too."""
    query = "SELECT source_ref, count FROM cases_alert WHERE source_ref = ANY(%s)"
    for ref, count in database.execute(query, [list(sender.accepted)]).fetchall():
        most = sender.accepted[ref] if sender.keyed else sender.tried[ref]
        assert sender.accepted[ref] <= count <= most, f"{ref} counts {count}"
