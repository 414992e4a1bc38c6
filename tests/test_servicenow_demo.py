"""The ServiceNow part of the demo: tickets that were really made, a conflict and a gap, and nothing left afterwards."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from django.db import connection
from django.utils.module_loading import import_string

from cases.demo.removal import remove
from cases.demo.seeding import seed
from cases.demo.servicenow import ServiceNow
from cases.models import LinkState, MappingGap, ServiceNowInstance, TicketConflict, TicketLink, TicketProfile
from soar.connectors import practice, practice_demo
from soar.connectors.models import ConnectorAccount
from soar.paths import data_dir
from soar.standins import folder
from soar.standins import practice_range as program
from soar.standins.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The practice range of a portal that has just started."""
    if (key := data_dir() / "encryption_key").exists():
        copy(key, tmp_path)
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    folder._range.cache_clear()
    cache.clear()
    with program.made() as server:
        practice.connect(server)
        program.remember(server, os.getpid())
        yield server
    folder._range.cache_clear()


def work() -> None:
    """As if a worker had done what is queued for ServiceNow."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM soar_queue WHERE id = (SELECT min(id) FROM soar_queue WHERE task LIKE"
                " 'cases.tasks.servicenow%') RETURNING task, args::text"
            )
            row = cursor.fetchone()
        if row is None:
            return
        import_string(row[0])(*json.loads(row[1]))


def tickets(server: Server) -> dict[str, dict[str, Any]]:
    """The tickets of the practice instance by number."""
    state = httpx.get(f"{server.urls['servicenow']['control']}/state", timeout=60).json()
    return {one["fields"]["number"]: one for one in state["tickets"]}


def test_seeded_on_the_range_and_removed(place: Server) -> None:
    made = seed()
    assert made is not None
    part = ServiceNow()
    assert "3 incidents have tickets" in part.begin(made.stage, 0)
    assert part.begin(made.stage, 0) == ""  # not twice
    assert TicketProfile.objects.get().enabled
    work()
    links = list(TicketLink.objects.select_related("incident"))
    assert [link.state for link in links] == [LinkState.LINKED] * 3
    there = tickets(place)
    for link in links:
        assert there[link.number]["fields"]["correlation_id"] == link.correlation_id
    conflict = TicketConflict.objects.get()
    assert (conflict.field, conflict.outcome) == ("severity", "")
    assert MappingGap.objects.filter(map="group").count() == 1
    talked = next(link for link in links if link.incident_id == made.stage.incidents["invoice"])
    notes = [entry["value"] for entry in there[talked.number]["journal"]]
    assert any("leave it switched on" in note for note in notes)
    assert talked.incident.timeline.filter(text__contains="Shall we collect the laptop?").count() == 1
    gone = remove()
    assert gone is not None
    assert not ServiceNowInstance.objects.exists()
    assert not TicketLink.objects.exists()
    assert not ConnectorAccount.objects.filter(kind="servicenow").exists()
    assert not [one for one in gone.kept if "ServiceNow" in one]


def test_without_a_range_there_is_none(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_DATA", str(tmp_path))
    folder._range.cache_clear()
    assert not practice_demo.ready()
    made = seed()
    assert made is not None
    assert ServiceNow().begin(made.stage, 0) == ""
    assert not ServiceNowInstance.objects.exists()
    remove()
