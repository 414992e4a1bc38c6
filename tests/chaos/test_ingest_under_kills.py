"""kill -9 of web, worker, supervisor and database at random under ingest.

No 2xx is lost, nothing is doubled, no run is stuck, an action of unknown outcome is shown and never repeated
silently."""

from __future__ import annotations

import json
import os
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.chaos.records import check_alerts, check_effects, database_of, unfinished
from tests.portal import Portal

pytestmark = pytest.mark.chaos
SECONDS = float(os.environ.get("SOAR_CHAOS_SECONDS", "60"))


@pytest.fixture
def marked() -> Iterator[Portal]:
    """A portal with the playbook whose action leaves a mark."""
    with tempfile.TemporaryDirectory(prefix="soar-chaos-") as name:
        Path(name).chmod(0o711)
        folder = str(Path(__file__).parent / "playbooks")
        made = Portal(Path(name) / "data", SOAR_PLAYBOOK_DIRS=folder)
        try:
            made.start()
            yield made
        finally:
            made.clean_up()


class Poster(threading.Thread):
    """Posts alerts with ids of its own until it is told to stop; tries each again until it got a 2xx."""

    def __init__(self, number: int, portal: Portal, source: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.number, self.portal, self.source = number, portal, source
        self.accepted: dict[str, Counter[int]] = {}
        self.odd: list[int] = []
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until ``stopping``."""
        count = 0
        with httpx.Client(base_url=f"http://127.0.0.1:{self.portal.port}", timeout=10) as client:
            while not self.stopping.is_set():
                key = f"c{self.number}-{count}"
                if self._post(client, key):
                    count += 1
                time.sleep(0.01)

    def _post(self, client: httpx.Client, key: str) -> bool:
        body = {"id": key, "title": f"Chaos {key}", "tags": ["chaos"], "severity": "low"}
        headers = {"Authorization": f"Bearer {self.source['token']}"}
        try:
            answer = client.post(f"/api/v1/ingest/{self.source['slug']}/", json=body, headers=headers)
        except httpx.HTTPError:
            time.sleep(0.05)
            return False
        if answer.is_success:
            self.accepted.setdefault(key, Counter())[answer.status_code] += 1
        elif answer.status_code != 503:
            self.odd.append(answer.status_code)
        return answer.is_success


def test_nothing_accepted_is_lost_or_doubled(marked: Portal) -> None:
    source = json.loads(marked.manage("source", "create", "Chaos", "--kind", "generic"))
    posters = [Poster(number, marked, source) for number in range(4)]
    for poster in posters:
        poster.start()
    kills = _kill_at_random(marked)
    for poster in posters:
        poster.stopping.set()
    for poster in posters:
        poster.join(30)
    marked.wait(marked.is_ready, 60, "not ready after the kills")
    accepted = {key for poster in posters for key in poster.accepted}
    assert len(accepted) > 50 and sum(kills.values()) > 3
    assert not [status for poster in posters for status in poster.odd], "an answer that was neither 2xx nor 503"
    with database_of(marked) as database:
        marked.wait(lambda: unfinished(database) == 0, 90, "runs are stuck")
        check_alerts(database, accepted, senders=len(posters))
        check_effects(database, marked, accepted)
    print(f"{len(accepted)} accepted under {dict(kills)}")


def _kill_at_random(portal: Portal) -> Counter[str]:
    chance = random.Random(20)  # repeatable, not secret
    kills: Counter[str] = Counter()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        role = chance.choice(["web", "worker", "database", "worker", "supervisor"])
        time.sleep(chance.uniform(0.5, 3))
        if not portal.pids(role):
            continue
        portal.kill(role)
        kills[role] += 1
        if role == "supervisor":
            portal.wait(lambda: not portal.all(), 10, "processes are left")
            portal.start()
    return kills


def test_running_is_visible_while_it_runs(marked: Portal) -> None:
    """Not only afterwards: the row says in_progress to everybody else while the action is under way."""
    source = json.loads(marked.manage("source", "create", "Slow", "--kind", "generic"))
    slow = Path(marked.data) / "effects"
    os.mkfifo(slow)  # opening it to write waits until somebody reads
    headers = {"Authorization": f"Bearer {source['token']}"}
    url = f"http://127.0.0.1:{marked.port}/api/v1/ingest/{source['slug']}/"
    httpx.post(url, json={"id": "slow", "title": "Slow", "tags": ["chaos"]}, headers=headers).raise_for_status()
    query = "SELECT count(*) FROM playbooks_run r JOIN playbooks_step s ON s.run_id = r.id"
    query += " WHERE r.status = 'in_progress' AND s.status = 'in_progress'"
    with database_of(marked) as database:
        marked.wait(lambda: database.execute(query).fetchone() == (1,), 15, "nothing is shown as running")
        with slow.open() as reader:
            assert reader.readline() == "slow\n"
        marked.wait(lambda: unfinished(database) == 0, 20, "the run did not end")
        assert database.execute("SELECT status FROM playbooks_run ORDER BY id LIMIT 1").fetchone() == ("successful",)
