"""What was imported can be taken out again, in every format: its notes are not those that were written here."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from cases.models import Incident
from cases.reporting import archive, misp, stix
from soar.accounts.models import User
from tests.cases_of import iris, thehive
from tests.rich_incident import told
from tests.stix_checks import problems
from tests.test_import_others import imported
from tests.test_import_soar import exported, run

__all__ = ["exported"]  # a fixture
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("product", "content", "note"),
    [("thehive", thehive.five(), "Taken back from 12 mailboxes"), ("iris", iris.case(), "It began with a password.")],
    ids=["thehive", "iris"],
)
def test_the_notes_of_an_imported_case_go_out(
    admin: User, analyst: User, tmp_path: Path, product: str, content: Any, note: str
) -> None:
    incident, _report = imported(tmp_path, product, content)
    document = told(admin, incident)
    bundle = stix.bundle(document)
    assert problems(bundle) == []
    assert any(note in one["content"] for one in bundle["objects"] if one["type"] == "note")
    assert note in misp.render(document).decode()


def test_the_archive_of_an_imported_incident_is_made(admin: User, exported: Path) -> None:
    assert run("soar", exported, "--apply")[0] == 0
    made = b"".join(archive.render(told(admin, Incident.objects.get())))
    with zipfile.ZipFile(io.BytesIO(made)) as opened:
        notes = [one for one in json.loads(opened.read("stix.json"))["objects"] if one["type"] == "note"]
    assert any("Handing over." in one["content"] for one in notes)
