"""Detection models (rulings 11): collected from alerts, severity set by hand, custom ones."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.choices import Severity
from playbooks import detection_models
from playbooks.models import DetectionModel
from soar.accounts.models import AuditEntry, Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source
from tests.fixtures import client_of
from tests.playbook_pages import EVIL, text_of

pytestmark = pytest.mark.django_db
URL = "/settings/models/"


def state() -> dict[str, tuple[str, int, bool]]:
    rows = DetectionModel.objects.all()
    return {row.name: (Severity(row.severity).word, row.alert_count, row.severity_set) for row in rows}


def test_11_models_come_from_alerts_with_the_last_severity() -> None:
    source = make_source("EDR")
    make_alert(source=source, detection_model="Credential dump", severity=Severity.LOW)
    make_alert(source=source, detection_model="")
    make_alert(source=source, detection_model="CREDENTIAL DUMP", severity=Severity.HIGH)
    assert detection_models.collect() > 0
    assert state() == {"CREDENTIAL DUMP": ("high", 2, False)}
    assert DetectionModel.objects.get().source_name == "EDR"
    assert detection_models.collect() == 0
    make_alert(source=source, detection_model="Credential dump", severity=Severity.MEDIUM)
    detection_models.collect()
    assert state() == {"CREDENTIAL DUMP": ("medium", 3, False)}


def test_11_a_severity_set_by_hand_stays(as_admin: Client) -> None:
    make_alert(detection_model="Beacon", severity=Severity.LOW)
    detection_models.collect()
    pk = DetectionModel.objects.get().pk
    assert as_admin.post(f"{URL}{pk}/severity/", {"severity": "critical"}).status_code == 302
    make_alert(detection_model="Beacon", severity=Severity.LOW)
    detection_models.collect()
    assert state() == {"Beacon": ("critical", 2, True)}
    as_admin.post(f"{URL}{pk}/severity/", {"severity": ""})
    make_alert(detection_model="Beacon", severity=Severity.LOW)
    detection_models.collect()
    assert state() == {"Beacon": ("low", 3, False)}
    assert AuditEntry.objects.filter(verb="detection_model.severity").count() == 2


def test_it_goes_on_in_pieces() -> None:
    for number in range(5):
        make_alert(detection_model=f"Model {number % 2}")
    while detection_models.collect(at_once=2, overlap=0):
        pass
    assert {name: count for name, (_word, count, _set) in state().items()} == {"Model 0": 3, "Model 1": 2}


def test_11_a_custom_model(as_admin: Client) -> None:
    assert as_admin.post(URL, {"name": "  Own   rule ", "severity": "high"}).status_code == 302
    assert state() == {"Own rule": ("high", 0, True)}
    assert "already" in text_of(as_admin.post(URL, {"name": "OWN rule", "severity": "low"}), 422)
    assert "required" in text_of(as_admin.post(URL, {"name": "", "severity": "low"}), 422)
    assert "available choices" in text_of(as_admin.post(URL, {"name": "x", "severity": "huge"}), 422)
    make_alert(detection_model="own RULE", severity=Severity.LOW)
    detection_models.collect()
    assert state() == {"Own rule": ("high", 1, True)}
    pk = DetectionModel.objects.get().pk
    refused = as_admin.post(f"{URL}{pk}/remove/", follow=True)
    assert "named by alerts" in text_of(refused)
    assert DetectionModel.objects.exists()


def test_a_custom_model_without_alerts_can_go(as_admin: Client) -> None:
    as_admin.post(URL, {"name": "Own rule", "severity": "high"})
    pk = DetectionModel.objects.get().pk
    assert as_admin.post(f"{URL}{pk}/remove/").status_code == 302
    assert as_admin.post(f"{URL}{pk}/remove/").status_code == 404
    assert state() == {}


def test_who_may(as_viewer: Client, responder: User, author: User, nobody: User, as_admin: Client) -> None:
    make_alert(detection_model=EVIL)
    detection_models.collect()
    pk = DetectionModel.objects.get().pk
    for other in (as_viewer, client_of(responder), client_of(author)):
        text = text_of(other.get(URL))
        assert EVIL not in text
        assert "&lt;script&gt;" in text
        assert other.post(URL, {"name": "x", "severity": "low"}).status_code == 403
        assert other.post(f"{URL}{pk}/severity/", {"severity": "low"}).status_code == 403
        assert other.post(f"{URL}{pk}/remove/").status_code == 403
    assert client_of(nobody).get(URL).status_code == 403
    assert as_admin.get(f"{URL}{pk}/severity/").status_code == 405


def test_finding(as_viewer: Client) -> None:
    make_alert(detection_model="Alpha beacon")
    make_alert(detection_model="Beta")
    detection_models.collect()
    text = text_of(as_viewer.get(URL, {"q": "BEAC"}))
    assert "Alpha beacon" in text
    assert "Beta" not in text
    assert "Nothing found" in text_of(as_viewer.get(URL, {"q": "\x00%_"}))


def test_the_api(admin: User, viewer: User, nobody: User) -> None:
    make_alert(detection_model="Beacon", severity=Severity.LOW)
    detection_models.collect()
    api, reader = Api(admin), Api(viewer)
    made = api.post("/detection-models/", {"name": "Own", "severity": "high"})
    assert (made.status_code, made.json()["custom"]) == (201, True)
    rows = reader.get("/detection-models/").json()["results"]
    assert [(row["name"], row["severity"]) for row in rows] == [("Beacon", "low"), ("Own", "high")]
    assert [row["name"] for row in reader.get("/detection-models/", q="EAC").json()["results"]] == ["Beacon"]
    pk = rows[0]["id"]
    assert api.patch(f"/detection-models/{pk}/", {"severity": "critical"}).json()["severity_set"] is True
    assert api.patch(f"/detection-models/{pk}/", {"severity": None}).json()["severity_set"] is False
    problem_of(api.patch(f"/detection-models/{pk}/", {"severity": "huge"}), 400)
    problem_of(api.patch(f"/detection-models/{made.json()['id']}/", {"severity": None}), 400)
    problem_of(reader.patch(f"/detection-models/{pk}/", {"severity": "low"}), 403)
    problem_of(reader.post("/detection-models/", {"name": "x", "severity": "low"}), 403)
    problem_of(Api(nobody).get("/detection-models/"), 403)
    problem_of(api.delete(f"/detection-models/{pk}/"), 409)
    assert api.delete(f"/detection-models/{made.json()['id']}/").status_code == 204


def test_another_team_s_models_stay_its_own(
    analyst: User, author: User, admin: User, blue: Team, red: Team, as_analyst: Client
) -> None:
    theirs, ours = make_source("Red's product", team=red), make_source("Ours", team=blue)
    make_alert(source=ours, detection_model="Shared", severity=Severity.LOW)
    make_alert(source=theirs, detection_model="Shared", severity=Severity.CRITICAL)
    make_alert(source=theirs, detection_model="Red only")
    detection_models.collect()
    page = text_of(as_analyst.get(URL))
    assert "Red only" not in page and "Red&#x27;s product" not in page and "Shared" in page
    api = Api(analyst)
    (row,) = api.get("/detection-models/").json()["results"]
    assert (row["name"], row["source"], row["alert_count"], row["severity"]) == ("Shared", "Ours", 1, "low")
    problem_of(api.get(f"/detection-models/{DetectionModel.objects.get(key='red only').pk}/"), 404)
    assert api.get(f"/detection-models/{row['id']}/").json()["alert_count"] == 1
    # Authors choose by all names, and hear no more of them.
    rows = Api(author).get("/detection-models/").json()["results"]
    assert [(one["name"], one["source"], one["alert_count"]) for one in rows] == [
        ("Red only", None, 0),
        ("Shared", "Ours", 1),
    ]
    rows = Api(admin).get("/detection-models/").json()["results"]
    assert [(one["name"], one["alert_count"]) for one in rows] == [("Red only", 1), ("Shared", 2)]


def test_a_restricted_alert_makes_no_model(admin: User) -> None:
    make_alert(detection_model="Insider", restricted=True)
    detection_models.collect()
    assert Api(admin).get("/detection-models/").json()["results"] == []
