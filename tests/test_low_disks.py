"""Disks that are nearly full are told before they are full: to people, to programs, once (operations.md 7, 8).

tests/chaos/test_full_disk.py fills a real one. Here the limit is moved across what is free on this machine's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cases import low_disks
from soar.accounts.models import AuditEntry, User
from soar.connectors.models import Attempt
from soar.lib import disks, heartbeat, room
from soar.models import LowDisk, QueuedTask
from tests.test_metrics import TOKEN, scraped
from tests.test_nav_counts import figures
from tests.test_operations_page import page, words

pytestmark = pytest.mark.django_db
NEVER, ALWAYS = 0, 2**40  # MiB: no disk has so much free


@pytest.fixture(autouse=True)
def place(settings: Any, tmp_path: Path) -> Path:
    """A data folder, and a database whose disk is known."""
    settings.DATA_DIR, settings.DATABASE_FOLDER, settings.EMBEDDED = tmp_path, str(tmp_path), False
    (tmp_path / "evidence").mkdir()
    room.forget()
    return tmp_path


def told() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.filter(verb__startswith="disk.").order_by("pk")
    return [(one.verb, one.target.partition(" on ")[0]) for one in rows]


def test_what_lies_on_one_disk_is_told_once(place: Path) -> None:
    [disk] = disks.disks()
    assert disk.places == ("data", "evidence", "database") and disk.words == "data folder, evidence, database"
    assert 0 < disk.free <= disk.size == os.statvfs(place).f_blocks * os.statvfs(place).f_frsize


def test_another_disk_is_told_by_itself(settings: Any) -> None:
    settings.DATABASE_FOLDER = "/dev/shm"
    assert [one.places for one in disks.disks()] == [("data", "evidence"), ("database",)]


@pytest.mark.parametrize("folder", ["", "/no/such/folder"])
def test_a_database_elsewhere_is_said_not_to_be_seen(as_admin: Client, settings: Any, folder: str) -> None:
    settings.DATABASE_FOLDER = folder
    assert [one.places for one in disks.disks()] == [("data", "evidence")]
    text = words(page(as_admin), "op-disks")
    assert "Data folder, evidence" in text and "The disk of the database is not seen from here" in text


def test_the_embedded_database_is_in_the_data_folder(settings: Any, place: Path) -> None:
    settings.EMBEDDED, settings.DATABASE_FOLDER = True, "/no/such/folder"
    (place / "postgres").mkdir()
    assert disks.disks()[0].places == ("data", "evidence", "database")


def test_with_room_nothing_is_said(client: Client, as_admin: Client) -> None:
    heartbeat.beat("worker")
    heartbeat.beat("scheduler")
    low_disks.watch()
    assert client.get("/readyz").json() == client.get("/healthz").json() == {"status": "ok"}
    html = page(as_admin)
    assert words(html, "op-disks").endswith("Enough") and " free of " in words(html, "op-disks")
    assert "nearly full" not in html and "nearly full" not in as_admin.get("/settings/").content.decode()
    assert not told() and not QueuedTask.objects.exists()


def test_programs_are_told_and_the_portal_stays_in_service(client: Client, settings: Any) -> None:
    settings.DISK_LOW_MB, settings.METRICS_TOKEN = ALWAYS, TOKEN
    heartbeat.beat("worker")
    heartbeat.beat("scheduler")
    for path in ("/healthz", "/readyz"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "warnings": ["A disk is nearly full."]})
    found = scraped(client)
    for one in ("data", "evidence", "database"):
        assert found["soar_disk_low", one] == 1
        assert 0 < found["soar_disk_free_bytes", one] <= found["soar_disk_size_bytes", one]
    settings.DISK_LOW_MB = NEVER
    assert scraped(client)["soar_disk_low", "data"] == 0


def test_people_are_told_once_and_again_when_it_comes_again(
    as_admin: Client, as_analyst: Client, admin: User, analyst: User, settings: Any
) -> None:
    settings.DISK_LOW_MB = ALWAYS
    low_disks.watch()
    low_disks.watch()
    assert told() == [("disk.low", "data,evidence,database")]
    assert [one.task for one in QueuedTask.objects.all()] == ["cases.tasks.tell_low_disk"]
    html = page(as_admin)
    assert re.search(r"The disk is nearly full \(data folder, evidence, database\): [\d.]+\s\w+ are free", words(html))
    assert words(html, "op-disks").endswith("Nearly full")
    assert figures(admin)[0] == {"settings-home": "1"} and figures(analyst)[0] == {}
    assert "A disk is nearly full" in words(as_admin.get("/settings/").content.decode())
    assert "A disk is nearly full" not in words(as_analyst.get("/settings/").content.decode())
    settings.DISK_LOW_MB = 1
    low_disks.watch()
    assert told()[1:] == [("disk.enough", "data,evidence,database")] and figures(admin)[0] == {}
    settings.DISK_LOW_MB = ALWAYS
    low_disks.watch()
    assert len(told()) == 3 and QueuedTask.objects.count() == 2


def test_a_warning_does_not_come_and_go_with_every_file(settings: Any) -> None:
    settings.DISK_LOW_MB = ALWAYS
    low_disks.watch()
    [disk] = disks.disks()
    settings.DISK_LOW_MB = int(disk.free / 1.05) // disks.MIB  # five in a hundred above the limit
    low_disks.watch()
    assert told() == [("disk.low", "data,evidence,database")] and LowDisk.objects.exists()


def test_another_hosts_disk_is_shown_until_nobody_watches_it(as_admin: Client) -> None:
    row = LowDisk.objects.create(host="host-b", places="data,evidence", free=5_000_000, size=9_000_000)
    low_disks.watch()
    assert "A disk of host-b is nearly full (data folder, evidence): 4.8 MB are free." in words(page(as_admin)).replace(
        "\xa0", " "
    )
    LowDisk.objects.filter(pk=row.pk).update(seen_at="2026-01-01T00:00Z")
    low_disks.watch()
    assert not LowDisk.objects.exists() and told() == [("disk.unwatched", "data,evidence")]


def test_a_warning_that_is_over_is_not_written() -> None:
    low_disks.tell(4711)
    assert not Attempt.objects.exists() and told() == []
