"""The timeline as a table: no cell is a formula, and it reads back as it was."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Incident
from cases.reporting.formats import FORMATS
from soar.accounts.models import User
from tests.rich_incident import told

pytestmark = pytest.mark.django_db
EVIL = (
    "=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", '=HYPERLINK("https://evil.example.net")',
    "＝1+1", "plain", '"quoted", with a comma', "two\nlines", "ünïcödé 🐟",
)  # fmt: skip


def table(admin: User, incident: Incident, name: str = "csv") -> tuple[bytes, list[dict[str, Any]]]:
    """The file, and its rows."""
    body = b"".join(FORMATS[name].render(told(admin, incident)))  # type: ignore[arg-type]
    return body, list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def noted(*texts: str) -> Incident:
    """An incident with these notes."""
    incident = incidents.open_incident(Actor.system(), title="=1+1", tags=["=tag"])
    for text in texts:
        incidents.comment(Actor.system(), incident.pk, f"x{text}" if not text.strip() else text)
    return incident


def test_no_cell_begins_as_a_formula(admin: User) -> None:
    _body, rows = table(admin, noted(*EVIL))
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert "'=cmd|' /C calc'!A0" in cells and "plain" in cells and '"quoted", with a comma' in cells


def test_names_of_people_are_no_formula_either(admin: User) -> None:
    admin.first_name, admin.last_name = "=2+5", "+cmd"
    admin.save()
    incident = noted()
    incidents.comment(Actor.of(admin), incident.pk, "hello")
    assert "'=2+5 +cmd" in [row["actor"] for row in table(admin, incident)[1]]


def test_every_entry_is_there_with_iso_times_and_its_hash(admin: User) -> None:
    incident = noted("one", "two")
    document = told(admin, incident)
    _body, rows = table(admin, incident)
    assert [row["hash"] for row in rows] == [entry["hash"] for entry in document["timeline"]]
    assert {row["tlp"] for row in rows} == {document["tlp"]}
    assert all(row["occurred_at"].endswith("Z") and "T" in row["occurred_at"] for row in rows)


def test_the_mark_of_utf_8_is_an_option(admin: User) -> None:
    incident = noted("ünïcödé 🐟")
    plain, _rows = table(admin, incident)
    marked, rows = table(admin, incident, "csv-bom")
    assert marked == b"\xef\xbb\xbf" + plain
    assert rows[-1]["text"] == "ünïcödé 🐟" and next(iter(rows[-1])) == "occurred_at"
