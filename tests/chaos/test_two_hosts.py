"""Workers on two hosts share the work of one database: one is cut off, the other is killed (operations.md 4).

Nothing that was accepted is lost or done twice; what nobody can know is shown to a person.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.chaos.hosts import Database, Host
from tests.portal import ROOT, free_port

pytestmark = pytest.mark.chaos
OPEN = "SELECT count(*) FROM playbooks_run WHERE NOT status = ANY('{successful,unsuccessful,needs_decision,cancelled}')"
QUEUED = "SELECT count(*) FROM soar_queue WHERE failed_at IS NULL"
OPENED = "SELECT count(*) FROM cases_timelineentry WHERE kind = 'alert.opened'"


@dataclass
class Site:
    """One database and web server, and two hosts with workers."""

    database: Database
    hosts: list[Host]
    environment: dict[str, str]
    client: httpx.Client
    token: str = ""

    def manage(self, *words: str) -> str:
        """The output of a management command."""
        env = {**self.environment, "DATABASE_URL": self.database.url}
        command = [sys.executable, "manage.py", *words]
        return subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout

    def post(self, first: int, number: int) -> None:
        """So many alerts, each accepted."""
        for key in range(first, first + number):
            body = {"id": str(key), "title": f"Alert {key}", "tags": ["chaos"]}
            headers = {"Authorization": f"Bearer {self.token}"}
            self.client.post("/api/v1/ingest/hosts/", json=body, headers=headers).raise_for_status()

    def marks(self) -> Counter[str]:
        """How often each alert was acted on."""
        file = Path(self.environment["SOAR_DATA"]) / "effects"
        return Counter(file.read_text().split()) if file.exists() else Counter()


def wait(until: Callable[[], bool], message: str, timeout: float = 120) -> None:
    """Until it is so; fails with the message."""
    deadline = time.monotonic() + timeout
    while not until():
        assert time.monotonic() < deadline, message
        time.sleep(0.1)


@pytest.fixture
def site() -> Iterator[Site]:
    """Everything runs and a source is made. Needs root and iproute2."""
    assert os.geteuid() == 0 and shutil.which("ip"), "network namespaces need root and iproute2"
    data = tempfile.mkdtemp(prefix="soar-hosts-data-")
    hosts: list[Host] = []
    started: list[subprocess.Popen[bytes]] = []
    database = None
    try:
        hosts += [Host(number) for number in (1, 2)]
        database = Database([host.here for host in hosts])
        port = str(free_port())
        env = {**os.environ, "SECRET_KEY": "of this test " * 5, "SOAR_DATA": data, "PORT": port, "SOAR_DEMO": "0"}
        env |= {"SOAR_LEASE_SECONDS": "2", "SOAR_PLAYBOOK_DIRS": str(Path(__file__).parent / "playbooks")}
        env |= {"SOAR_ENCRYPTION_KEYS": "of this test too " * 3}
        for name in ("SOAR_TESTS_READY", "DJANGO_SETTINGS_MODULE", "SOAR_LOG_LEVEL"):
            env.pop(name, None)
        made = Site(database, hosts, env, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20))
        made.manage("prepare")
        answer = made.manage("source", "create", "Hosts", "--kind", "generic")
        made.token = httpx.Response(200, text=answer).json()["token"]
        here = {**env, "DATABASE_URL": database.url}
        for command in (["-m", "soar.up.web"], ["manage.py", "scheduler"]):
            started.append(subprocess.Popen([sys.executable, *command], cwd=ROOT, env=here))
        for host in hosts:
            host.start(env, "manage.py", "worker")
        wait(lambda: ready(made.client), "the web server does not answer, or no worker is there")
        yield made
    finally:
        for host in hosts:
            host.remove()
        for one in started:
            one.send_signal(signal.SIGTERM)
            one.wait(30)
        if database:
            database.remove()
        shutil.rmtree(data, ignore_errors=True)


def ready(client: httpx.Client) -> bool:
    """Whether ``/readyz`` says so."""
    try:
        return client.get("/readyz").is_success
    except httpx.HTTPError:
        return False


def test_one_is_cut_off_and_the_other_killed(site: Site) -> None:
    first, second = site.hosts
    site.post(0, 40)
    wait(lambda: len(site.marks()) >= 5, "nothing is done")
    first.cut()
    site.post(40, 40)
    wait(lambda: len(site.marks()) >= 75, "the other host does not do it all")
    second.power_off()
    site.post(80, 40)  # nobody works, and all is accepted
    first.mend()
    wait(lambda: site.database.number(OPEN) == 0 and site.database.number(QUEUED) == 0, "it is not ended", 240)
    check(site, 120)


def check(site: Site, accepted: int) -> None:
    """Each alert is there once, with one run; acted on once, or at most once where a person is asked."""
    assert site.database.number(OPENED) == accepted
    rows = site.database.connection.execute(
        "SELECT a.source_ref, r.status FROM playbooks_run r JOIN cases_alert a ON a.id = r.alert_id"
        " JOIN playbooks_playbook p ON p.id = r.playbook_id WHERE p.name = 'effects'"
    ).fetchall()
    assert Counter(ref for ref, _status in rows) == Counter(str(key) for key in range(accepted))
    marks = site.marks()
    assert not [ref for ref, status in rows if status == "successful" and marks[ref] != 1]
    assert not [ref for ref, _status in rows if marks[ref] > 1]
    statuses = Counter(status for _ref, status in rows)
    assert set(statuses) <= {"successful", "needs_decision"} and statuses["successful"] >= accepted - 10
