"""What the alerts of an incident were made of goes out with it and comes in again."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from cases.models import Alert, AlertPayload, Incident
from cases.purge import purge
from cases.reporting import payloads
from soar.accounts.models import User
from tests.exporting import export, file_of, worked
from tests.factories import make_alert, make_incident
from tests.test_import_soar import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
BODY = '{"zebrafish": 1,  "spaces": "as they were"}'


@pytest.fixture
def incident() -> Incident:
    """Of one alert that came twice, and one that is above TLP:AMBER."""
    first = make_alert("Beacon", raw=BODY)
    AlertPayload.objects.filter(alert=first).update(latest_body='{"okapi": 2}', latest_at=timezone.now())
    return make_incident("Case", first, make_alert("Informer", raw='{"quagga": 3}', tlp="red"), tlp="green")


def json_of(user: User, incident: Incident, **options: Any) -> dict[str, Any]:
    """The JSON export."""
    answer = export(user, incident, "json", **options)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_payloads_are_in_the_json_and_the_zip_as_they_came(admin: User, incident: Incident) -> None:
    read = json_of(admin, incident)
    first, second = (alert["raw"] for alert in read["alerts"])
    assert (first["first"], first["latest"], second["latest"]) == (BODY, '{"okapi": 2}', None)
    assert first["latest_at"].endswith("Z") and read["left_out"]["raw"] == 0
    with zipfile.ZipFile(io.BytesIO(file_of(admin, worked(admin, incident, "zip")))) as opened:
        assert json.loads(opened.read("incident.json"))["alerts"][0]["raw"] == first
        assert b"zebrafish" not in opened.read("report.html")
    for format in ("html", "md", "stix", "misp", "csv"):
        assert b"zebrafish" not in export(admin, incident, format).content


def test_payloads_stay_here_above_the_mark_and_without_observables(admin: User, incident: Incident) -> None:
    assert "quagga" not in json.dumps(json_of(admin, incident, tlp="amber"))
    read = json_of(admin, incident, observables="false")
    assert [alert["raw"] for alert in read["alerts"]] == [None, None] and read["left_out"]["raw"] == 2


def test_what_is_too_much_is_counted(admin: User, incident: Incident, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payloads, "CHARACTERS_AT_MOST", 20)
    read = json_of(admin, incident)
    assert read["alerts"][0]["raw"] is None and "quagga" in read["alerts"][1]["raw"]["first"]
    assert read["left_out"]["raw"] == 1


def test_an_import_brings_them(admin: User, incident: Incident, tmp_path: Path) -> None:
    read = json_of(admin, incident)
    read["alerts"][1]["raw"] = None
    purge(None, alerts=[one["id"] for one in read["alerts"]], incidents=[incident.pk], reason="test")
    path = tmp_path / "x.json"
    path.write_text(json.dumps(read))
    assert run("soar", path, "--apply")[0] == 0
    row = AlertPayload.objects.get(alert=Alert.objects.get(title="Beacon"))
    assert (row.body, row.latest_body) == (BODY, '{"okapi": 2}') and row.latest_at is not None
    other = AlertPayload.objects.get(alert__title="Informer")
    assert json.loads(other.body)["number"] == read["alerts"][1]["number"], "the alert itself, where it has none"
