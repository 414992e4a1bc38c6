"""The database dies right after a run has begun, and forgets it: its beginning does not wait for the disk.

The worker lives on. Each alert has its run all the same, once: what rang for it is kept until that is sure."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.chaos.records import database_of, unfinished
from tests.portal import Portal

pytestmark = pytest.mark.chaos
ROUNDS = 4
HELD = """
import time
from pathlib import Path
from playbooks import playbook

HERE = Path(__file__).parent.parent

@playbook(conditions={"tags": ["held"]})
def held(alert):
    "Says that it has begun, and ends when it may."
    (HERE / f"begun-{alert['source_ref']}").touch()
    while not (HERE / "go").exists():
        time.sleep(0.01)
"""


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with the playbook that can be held."""
    with tempfile.TemporaryDirectory(prefix="soar-chaos-") as name:
        Path(name).chmod(0o711)
        folder = Path(name) / "playbooks"
        folder.mkdir()
        (folder / "held.py").write_text(HELD, encoding="utf-8")
        made = Portal(Path(name) / "data", SOAR_PLAYBOOK_DIRS=str(folder))
        try:
            made.start()
            yield made
        finally:
            made.clean_up()


def test_a_run_that_a_crash_of_the_database_forgot_begins_again(portal: Portal) -> None:
    source = json.loads(portal.manage("source", "create", "Held", "--kind", "generic"))
    go = portal.data.parent / "go"
    for number in range(ROUNDS):
        go.unlink(missing_ok=True)
        _post(portal, source, f"held-{number}")
        portal.wait((go.parent / f"begun-held-{number}").exists, 60, "the run does not begin")
        portal.heal("database", portal.kill("database"), 120)
        go.touch()
        portal.wait(lambda: _rests(portal), 120, "runs are stuck")
    with database_of(portal) as database:
        query = "SELECT a.source_ref, r.status FROM playbooks_run r JOIN cases_alert a ON a.id = r.alert_id"
        runs = Counter(database.execute(query).fetchall())
    assert runs == {(f"held-{number}", "successful"): 1 for number in range(ROUNDS)}


def _post(portal: Portal, source: dict[str, str], ref: str) -> None:
    headers = {"Authorization": f"Bearer {source['token']}"}
    url, body = f"{portal.url}/api/v1/ingest/{source['slug']}/", {"id": ref, "title": ref, "tags": ["held"]}
    httpx.post(url, json=body, headers=headers, timeout=30).raise_for_status()


def _rests(portal: Portal) -> bool:
    try:
        with database_of(portal) as database:
            return unfinished(database) == 0
    except psycopg.Error:
        return False
