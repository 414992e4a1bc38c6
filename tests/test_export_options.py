"""What the options of an export leave out stays out of every format: of the lists, and of what the timeline tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cases.actions import events, incidents, observables
from cases.actions.notes import edit_comment
from cases.actors import Actor
from cases.models import Alert, AlertSource, Evidence, Incident, Observable
from cases.purge import purge
from cases.reporting import archive, json_case
from cases.reporting.document import document
from cases.reporting.formats import FORMATS
from cases.reporting.options import Options
from cases.signing import active_key
from soar.accounts.models import User
from soar.lib import clock
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident
from tests.test_export_archive import verified
from tests.test_import_others import file_of
from tests.test_import_soar import run

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
QUICK = ("json", "html", "md", "csv", "stix", "misp")
WORDS = {"observables": ("zebrafish.example.net", "203.0.113.77"), "evidence": ("quagga.eml",), "notes": ("okapi",)}


@pytest.fixture
def incident(admin: User) -> Incident:
    """It tells of an observable, a file and a note wherever it can; an event has a link to each of the first two."""
    me = Actor.of(admin)
    alert = make_alert("Beacon", source_ip="203.0.113.77")
    Alert.objects.filter(pk=alert.pk).update(
        entities=[
            {"name": "WS-1", "addresses": [], "observables": [{"type": "domain", "value": WORDS["observables"][0]}]}
        ]
    )
    made = make_incident("Case", alert)
    observables.add_to_incident(me, made.pk, "domain", WORDS["observables"][0])
    observables.add_to_alert(me, alert.pk, "domain", WORDS["observables"][0])
    keep(made, "quagga.eml")
    found = {"observable": Observable.objects.get(value=WORDS["observables"][0]), "evidence": Evidence.objects.get()}
    for type_, row in found.items():
        link = {"type": type_, "id": row.pk}
        events.record_event(me, made.pk, f"An event about the {type_}", occurred_at=clock.now(), link=link)
    entry = incidents.comment(me, made.pk, "An okapi was seen")
    edit_comment(me, entry.pk, "Two okapi were seen")
    return made


def brought_over(admin: User, incident: Incident, tmp_path: Path) -> Incident:
    """The same incident after a way through a file: its history stands in imported entries."""
    body = json.loads(json_case.render(document(admin, incident.pk)))
    purge(None, alerts=[one["id"] for one in body["alerts"]], incidents=[incident.pk], reason="test")
    assert run("soar", file_of(tmp_path, body), "--apply")[0] == 0
    return Incident.objects.get()


def told(read: dict[str, Any], format: str) -> str:
    """The file as plain text."""
    made = FORMATS[format].render(read)
    return (made if isinstance(made, bytes) else b"".join(made)).decode().replace("[.]", ".").replace("\\", "")


@pytest.mark.parametrize("imported", [False, True], ids=["own", "imported"])
@pytest.mark.parametrize("name", WORDS)
def test_what_is_unticked_is_in_no_format(
    admin: User, incident: Incident, tmp_path: Path, name: str, imported: bool
) -> None:
    if imported:
        incident = brought_over(admin, incident, tmp_path)
        assert AlertSource.objects.filter(slug="imported").exists()
    whole, without = document(admin, incident.pk), document(admin, incident.pk, Options.read({name: False}))
    for word in WORDS[name]:
        assert word in told(whole, "json")
        for format in QUICK:
            assert word not in told(without, format), (word, format)


@pytest.mark.parametrize("name", ["observables", "evidence"])
def test_the_words_of_an_event_stay_and_only_its_link_goes(admin: User, incident: Incident, name: str) -> None:
    read = document(admin, incident.pk, Options.read({name: False}))
    found = [one for one in read["timeline"] if one["kind"] == "event"]
    assert {one["text"] for one in found} == {"An event about the observable", "An event about the evidence"}
    assert [one["data"]["link"]["type"] for one in found if "link" in one["data"]] == [
        "evidence" if name == "observables" else "observable"
    ]


def test_an_event_does_not_name_a_file_above_the_mark(admin: User, incident: Incident) -> None:
    Evidence.objects.update(tlp="red")
    assert "quagga" in told(document(admin, incident.pk), "json")
    read = document(admin, incident.pk, Options(tlp="amber"))
    for format in QUICK:
        assert "quagga" not in told(read, format), format


def test_a_report_without_observables_says_where_some_may_still_stand(admin: User, incident: Incident) -> None:
    read = document(admin, incident.pk, Options(observables=False))
    for format in ("html", "md"):
        assert "titles, texts, assets, tickets and responses may still name some" in told(read, format)


def test_an_archive_without_observables_still_verifies(admin: User, incident: Incident, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    read = document(admin, incident.pk, Options(observables=False, evidence=False))
    path.write_bytes(b"".join(archive.render(read)))
    assert verified(path, "--key", active_key().public_key)[0] == 0
