"""What a storm is made of: a small disk that fills up, a clock that is turned, products that fail, senders that go on.

The disk is a tmpfs of its own, the clock a library that is loaded before the C library: Linux, a C compiler and the
right to mount are needed."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from soar.standins import keeping
from soar.standins.entra import Entra
from soar.standins.fortinet import FortiGate
from soar.standins.server import Server
from soar.standins.servicenow.standin import ServiceNow
from soar.standins.slack import Slack
from soar.standins.visionone import VisionOne
from tests.portal import Portal

MIB = 1024 * 1024
FAULTS = ("500", "502", "503", "429", "html", "garbage", "slow", "before", "after")
DESK_FAULTS = ("lost", "late", "before", "503", "500", "429", "html", "garbage", "hibernate", "401")
DESK_SORTS = ("any", "read", "create", "update", "journal", "token")
LATE = 3.0  # seconds; the accounts wait for two


class Disk:
    """A file system of ``size`` MiB at ``folder``; needs the right to mount."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.filler = folder, folder / "filler"
        folder.mkdir(mode=0o711)
        options = f"size={size}m,mode=711"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "soar-storm", str(folder)], check=True)

    def free(self) -> int:
        """Bytes."""
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, left: int) -> None:
        """Until so many bytes are left. Others write meanwhile: it takes what it can get."""
        with self.filler.open("ab") as file:
            while (more := self.free() - left) > 0:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), min(more, 64 * MIB))
                except OSError:
                    left += MIB // 4

    def clear(self) -> None:
        """Room again."""
        self.filler.unlink(missing_ok=True)

    def remove(self) -> None:
        """Away with it, and with all that it holds."""
        subprocess.run(["umount", "--lazy", str(self.folder)], check=False)


class Clock:
    """The time of day of all processes that are started with ``environment`` (``turned_clock.c``); needs a C compiler.

    Other clocks go on evenly, as they do when somebody sets the time. Each ``name`` in ``folder`` is a clock of its
    own."""

    def __init__(self, folder: Path, name: str = "clock") -> None:
        library, source = folder / "turned_clock.so", Path(__file__).with_name("turned_clock.c")
        if not library.exists():
            command = ["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
            subprocess.run(command, check=True)
        self.file = folder / name
        self.file.write_bytes(bytes(8))
        self.file.chmod(0o644)
        self.environment = {"LD_PRELOAD": str(library), "SOAR_TEST_CLOCK": str(self.file)}

    def turn(self, seconds: int) -> None:
        """So many seconds before or behind the machine's clock, from now on."""
        with self.file.open("r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))


class Code:
    """A copy of the file of a playbook in ``folder``, that is now and then not whole."""

    def __init__(self, original: Path, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.text, self.file = original.read_text(encoding="utf-8"), folder / original.name
        self.mend()

    def tear(self, share: float) -> None:
        """Only so much of it is there; 0: not even the file."""
        if share:
            self.file.write_text(self.text[: int(len(self.text) * share)] + "\n(", encoding="utf-8")
        else:
            self.file.unlink(missing_ok=True)

    def mend(self) -> None:
        """All of it is there."""
        self.file.write_text(self.text, encoding="utf-8")


class Site(Portal):
    """A portal that is started again whenever it ends, as systemd does it. ``log``: every line of every start."""

    def __init__(self, data: Path, **environment: str) -> None:
        super().__init__(data, **environment)
        self.log: list[str] = []
        self.starts = 0
        self._kept = threading.Event()

    def keep(self) -> None:
        """Start it again when it ends, until ``leave``. The database ends with the thread that started it, so this is
        called, often, by the thread of the test."""
        assert self.process is not None
        if self.process.poll() is None or self.all():
            return
        self.log += self.lines
        self.launch()
        self.starts += 1

    def said(self) -> list[str]:
        """All it has ever said."""
        return self.log + self.lines


class Range:
    """The products, which nobody kills: only so can be told afterwards what was really done."""

    def __init__(self, chance: random.Random) -> None:
        keeping.KEPT = 100_000  # a stand-in remembers what people would read; here each message is asked about
        self.chance = chance
        self.desk = ServiceNow()
        self.others = [VisionOne(), Entra(), FortiGate(), Slack()]
        self.server = Server([self.desk, *self.others])
        self.http = httpx.Client(timeout=30)
        self.ordered: Counter[str] = Counter()

    def state(self, kind: str) -> dict[str, Any]:
        """What became of it all at a product."""
        found: dict[str, Any] = self.http.get(f"{self.server.urls[kind]['control']}/state").json()
        return found

    def tell(self, kind: str, verb: str, /, **wish: Any) -> httpx.Response:
        """Order something."""
        return self.http.post(f"{self.server.urls[kind]['control']}/{verb}", json=wish)

    def fault(self) -> None:
        """The next calls of some product go wrong; or a task that it took ends badly."""
        kind = self.chance.choice(["visionone", "visionone", "entra", "fortinet", "slack", "servicenow", "servicenow"])
        what = self.chance.choice(DESK_FAULTS if kind == "servicenow" else FAULTS)
        more = {"on": self.chance.choice(DESK_SORTS)} if kind == "servicenow" else {}
        if kind == "visionone" and self.chance.random() < 0.2:
            what = self.chance.choice(["failed", "rejected"])
            answer = self.tell(kind, "arrange", next=what)
        else:
            times = self.chance.randint(1, 3)
            answer = self.tell(kind, "fault", kind=what, times=times, delay=LATE, **more)
        assert answer.status_code == 200, answer.text
        self.ordered[f"{kind} {what}"] += 1

    def note(self) -> None:
        """Somebody at the desk writes into a ticket."""
        known = [one for one in self._tickets() if str(one["fields"]["correlation_id"]).startswith("soar")]
        if known:
            number = self.chance.choice(known)["fields"]["number"]
            self.tell("servicenow", "note", number=number, text=f"A word of the desk, {time.monotonic_ns()}")
            self.ordered["servicenow note"] += 1

    def calm(self) -> None:
        """All of it is well again."""
        for _ in range(5):
            self.tell("servicenow", "wake")
        for one in (self.desk, *self.others):
            with one.lock:
                one._faults.clear()

    def _tickets(self) -> list[dict[str, Any]]:
        asked = {"limit": 10_000}
        found = self.http.get(f"{self.server.urls['servicenow']['control']}/tickets", params=asked)
        tickets: list[dict[str, Any]] = found.json()
        return tickets


class Sender(threading.Thread):
    """Posts alerts with ids of its own until it is told to stop; each again until it got a 2xx.

    ``response``: alerts of high severity with a host, an account and an address of their own, on which the response
    playbook acts; else such on which the playbook with the mark acts. ``keyed``: each bears an Idempotency-Key, so
    that however often it is sent it counts once. Now and then an alert that was accepted is sent as a repeat."""

    def __init__(
        self, name: str, site: Site, source: dict[str, str], seed: int, *, response: bool = False, keyed: bool = False
    ) -> None:
        super().__init__(daemon=True)
        self.called, self.site, self.source = name, site, source
        self.response, self.keyed = response, keyed
        self.chance = random.Random(f"{seed} {name}")
        self.accepted: dict[str, int] = {}  # id -> deliveries that were answered with 2xx
        self.tried: Counter[str] = Counter()  # id -> calls
        self.odd: Counter[str] = Counter()  # answers that should not be
        self.refused = 0
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until ``stopping``; what is under way is brought to its end."""
        number = 0
        with httpx.Client(base_url=self.site.url, timeout=15) as client:
            while not self.stopping.is_set():
                ref = f"{self.called}-{number:06d}"
                number += 1
                self._deliver(client, ref, 0)
                if self.chance.random() < 0.1:
                    self._deliver(client, ref, 1)
                self.stopping.wait(self.chance.uniform(0.8, 3) if self.response else self.chance.uniform(0.1, 0.5))

    def _deliver(self, client: httpx.Client, ref: str, time_: int) -> None:
        headers = {"Authorization": f"Bearer {self.source['token']}"}
        if self.keyed:
            headers["Idempotency-Key"] = f"{ref}/{time_}"
        while not self._post(client, ref, headers):
            if self.stopping.wait(0.2) and not self.site.is_ready():
                return

    def _post(self, client: httpx.Client, ref: str, headers: dict[str, str]) -> bool:
        self.tried[ref] += 1
        try:
            answer = client.post(f"/api/v1/ingest/{self.source['slug']}/", json=self._body(ref), headers=headers)
        except httpx.HTTPError:
            return False
        if answer.is_success:
            self.accepted[ref] = self.accepted.get(ref, 0) + 1
            return True
        self.refused += 1
        as_promised = answer.status_code == 503 or (answer.status_code == 409 and self.keyed)
        problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
        if not as_promised or not problem or "Retry-After" not in answer.headers:
            self.odd[f"{answer.status_code} {answer.headers.get('Content-Type')}: {answer.text[:200]}"] += 1
        return False

    def _body(self, ref: str) -> dict[str, Any]:
        if not self.response:
            return {"id": ref, "title": f"Storm {ref}", "tags": ["chaos"], "severity": "low"}
        number = int(ref.rpartition("-")[2])
        address = f"203.0.{number // 250}.{number % 250 + 1}"
        return {
            "id": ref, "title": f"Storm {ref}", "severity": "high", "hostname": f"host-{ref}",
            "username": f"user-{ref}", "observables": [{"type": "ip", "value": address, "ioc": True}],
        }  # fmt: skip
