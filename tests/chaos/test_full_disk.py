"""A disk without room: what cannot be kept is refused, nothing is half saved, and with room it goes on by itself."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.chaos.records import database_of
from tests.chaos.storm import Disk, Site

pytestmark = pytest.mark.chaos
SIZE = 600  # MiB
WRITE = "SELECT pg_logical_emit_message(false, 'storm', repeat('x', 1000000))"
STORED = "SELECT source_ref FROM cases_alert"
WHOLE = """
SELECT a.source_ref FROM cases_alert a JOIN cases_timelineentry e ON e.alert_id = a.id AND e.kind = 'alert.opened'
GROUP BY 1 HAVING count(*) = 1"""


@pytest.fixture
def small() -> Iterator[tuple[Disk, Site]]:
    """A portal on a disk of its own."""
    folder = Path(tempfile.mkdtemp(prefix="soar-full-"))
    folder.chmod(0o711)
    disk = Disk(folder / "disk", SIZE)
    site = Site(disk.folder / "data")
    try:
        site.start(600)
        yield disk, site
    finally:
        disk.clear()
        site.clean_up()
        disk.remove()
        shutil.rmtree(folder, ignore_errors=True)


def test_a_full_disk_is_said_and_lived_through(small: tuple[Disk, Site]) -> None:
    disk, site = small
    source = json.loads(site.manage("source", "create", "Full", "--kind", "generic"))
    token = json.loads(site.manage("token", "create", "admin", "--name", "full"))["token"]
    accepted, refused = {post(site, source, 0): 0}, set[str]()
    incident = api(site, token, "post", "incidents/", json={"title": "Full"}).json()["id"]
    nearly = site.client.get("/readyz")  # 600 MiB are less than what is warned of
    assert (nearly.status_code, nearly.json()["warnings"]) == (200, ["A disk is nearly full."])
    disk.fill(0)
    for number in range(1, 2_000):
        answer = deliver(site, source, number)
        if answer.is_success:
            accepted[f"full-{number}"] = number
            continue
        refused.add(f"full-{number}")
        promised(answer)
        if len(refused) == 5:
            break
    assert len(refused) == 5, "everything was kept"
    ready = site.client.get("/readyz")
    assert ready.status_code == 503 and "The disk is full." in ready.json()["reasons"]
    upload = {"file": ("big.bin", secrets.token_bytes(2_000_000))}
    no_room = api(site, token, "post", f"incidents/{incident}/evidence/", files=upload)
    if no_room.status_code != 507:  # the file's own answer; the database may be gone before it comes to that
        promised(no_room)
    _use_up_the_log(site)
    disk.clear()
    site.wait(site.is_ready, 180, "it did not go on by itself")
    with database_of(site) as database:
        stored = {row[0] for row in database.execute(STORED)}
        assert accepted.keys() <= stored
        assert stored == {row[0] for row in database.execute(WHOLE)}, "an alert was half saved"
    for ref in refused:
        post(site, source, int(ref.rpartition("-")[2]))
    assert api(site, token, "post", f"incidents/{incident}/evidence/", files=upload).status_code == 201
    with database_of(site) as database:
        stored_now = [row[0] for row in database.execute(STORED)]
    assert sorted(stored_now) == sorted({*accepted, *refused})
    site.manage("verify_timeline")
    site.manage("verify_evidence")


def _use_up_the_log(site: Site) -> None:
    """Write to the database's log until it has no room: PostgreSQL gives up then."""
    with suppress(psycopg.OperationalError), database_of(site) as database:  # it is gone already, or goes
        for _ in range(SIZE):
            database.execute(WRITE)
    site.wait(lambda: any("database: it ended" in line for line in site.lines), 60, "it goes on")


def deliver(site: Site, source: dict[str, Any], number: int) -> httpx.Response:
    """An alert with 100 KB that cannot be packed."""
    body = {"id": f"full-{number}", "title": f"Full {number}", "description": secrets.token_hex(50_000)}
    headers = {"Authorization": f"Bearer {source['token']}"}
    return site.client.post(f"/api/v1/ingest/{source['slug']}/", json=body, headers=headers, timeout=60)


def post(site: Site, source: dict[str, Any], number: int) -> str:
    """One that is accepted. Returns its id."""
    assert deliver(site, source, number).status_code == 201
    return f"full-{number}"


def api(site: Site, token: str, method: str, path: str, **content: Any) -> httpx.Response:
    """A call of the API."""
    headers = {"Authorization": f"Bearer {token}"}
    return site.client.request(method, f"/api/v1/{path}", headers=headers, timeout=60, **content)


def promised(answer: httpx.Response) -> None:
    """503 with the reason and when to come again."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"].startswith("application/problem+json") and answer.headers["Retry-After"]
    assert "disk is full" in answer.json()["detail"]
