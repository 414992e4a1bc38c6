"""``/api/v1/incidents/``: reading, opening, changing, verbs, and what belongs to an incident."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases.choices import IncidentStatus, Severity
from cases.models import Alert, Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source

CALLS: dict[str, Any] = {
    "assign": {"owner": "mara"},
    "comment": {"text": "Note"},
    "status": {"status": "in_progress"},
    "owners": {"add": ["mara"]},
    "link": {"alerts": [1]},
    "unlink": {"alerts": [1]},
    "observables": {"type": "ip", "value": "203.0.113.8"},
}
READS = ("", "timeline/", "alerts/", "observables/")


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue with one alert."""
    alert = make_alert("Beacon", source=make_source(team=blue), observables=(("ip", "203.0.113.7"),))
    return make_incident("Case", alert)


@pytest.mark.parametrize("part", READS)
def test_reading_is_for_those_who_see_it(
    analyst: User, viewer: User, stranger: User, incident: Incident, part: str
) -> None:
    path = f"/incidents/{incident.number}/{part}"
    assert Api(analyst).get(path).json() == Api(viewer).get(path).json()
    problem_of(Api(stranger).get(path), 404)
    problem_of(Api(None).get(path), 401)
    problem_of(Api(analyst).call("PUT", path, {}), 405)


@pytest.mark.parametrize("call", CALLS)
def test_changing_is_for_analysts(analyst: User, viewer: User, stranger: User, incident: Incident, call: str) -> None:
    path, before = f"/incidents/{incident.pk}/{call}/", TimelineEntry.objects.count()
    body = {"alerts": [Alert.objects.get().pk]} if "link" in call else CALLS[call]
    problem_of(Api(None).post(path, body), 401)
    problem_of(Api(stranger).post(path, body), 404)
    problem_of(Api(viewer).post(path, body), 403)
    problem_of(Api(analyst).call("DELETE", path), 405)
    assert TimelineEntry.objects.count() == before
    assert Api(analyst).post(path, body).status_code in (200, 201)


def test_an_incident_is_opened_from_alerts_with_owners(analyst: User, responder: User, blue: Team) -> None:
    alerts = [make_alert("First", severity=Severity.HIGH, source=make_source(team=blue)), make_alert("Second")]
    api = Api(analyst)
    answer = api.post(
        "/incidents/", {"alerts": [a.number for a in alerts], "owners": ["mara"], "lead": "priya", "tags": ["apt"]}
    )
    assert answer.status_code == 201
    body = answer.json()
    assert (body["title"], body["severity"], body["team"], body["alert_count"]) == ("First", "high", "Blue", 2)
    assert body["owners"] == [{"username": "priya", "lead": True}, {"username": "mara", "lead": False}]
    assert api.get(f"/incidents/{body['id']}/").json() == body
    assert problem_of(api.post("/incidents/", {"alerts": [alerts[0].pk]}), 409)["incident"] == body["number"]
    problem_of(api.post("/incidents/", {}), 400)
    problem_of(api.post("/incidents/", {"title": "X", "alerts": ["ALR-99999"]}), 404)


def test_who_may_open_one(viewer: User, stranger: User, incident: Incident) -> None:
    problem_of(Api(viewer).post("/incidents/", {"title": "Mine"}), 403)
    alert = Alert.objects.get()
    problem_of(Api(stranger).post("/incidents/", {"title": "Theirs", "alerts": [alert.pk]}), 404)
    problem_of(Api(None).post("/incidents/", {"title": "Mine"}), 401)
    assert Incident.objects.count() == 1


def test_the_list_is_filtered_and_ordered(analyst: User, stranger: User, incident: Incident) -> None:
    other = make_incident("Phishing wave", severity="critical", tags=["mail"])
    api = Api(analyst)

    def numbers(**params: str) -> list[str]:
        return [row["number"] for row in api.get("/incidents/", **params).json()["results"]]

    assert numbers() == [other.number, incident.number]
    assert numbers(ordering="-severity") == [other.number, incident.number]
    assert numbers(q="phishing") == numbers(tag="mail") == numbers(severity="high,critical") == [other.number]
    assert numbers(q=incident.number) == numbers(team="Blue") == [incident.number]
    assert numbers(owner="me") == []
    api.post(f"/incidents/{other.pk}/assign/", {"owner": "mara"})
    assert numbers(owner="me") == numbers(owner="mara") == [other.number]
    assert numbers(owner="none") == numbers(q=str(incident.pk)) == [incident.number]
    assert numbers(updated_since="1h") == [incident.number, other.number]
    assert numbers(status="resolved") == []
    assert (
        numbers(status="open") == numbers(**{"is": "open"}) == numbers(tlp="amber") == [other.number, incident.number]
    )
    Incident.objects.filter(pk=other.pk).update(status=IncidentStatus.IN_PROGRESS, tlp="red")
    assert numbers(status="open") == [other.number, incident.number], "all that is still work"
    assert numbers(**{"is": "in_progress"}) == numbers(tlp="red") == [other.number] and numbers(**{"is": "ended"}) == []
    seen = [row["number"] for row in Api(stranger).get("/incidents/").json()["results"]]
    assert seen == [other.number]
    for params, field in (({"status": "x"}, "status"), ({"q": "ab"}, "q"), ({"titel": "x"}, "titel")):
        refused = problem_of(api.get("/incidents/", **params), 400)
        assert [error["field"] for error in refused["errors"]] == [field]


def test_fifty_incidents_cost_as_many_queries_as_two(analyst: User) -> None:
    api, counts = Api(analyst), []
    for more in (2, 48):
        for _ in range(more):
            make_incident(owners=[analyst])
        api.get("/incidents/")
        with CaptureQueriesContext(connection) as captured:
            answer = api.get("/incidents/")
        counts.append(len(captured))
    assert len(answer.json()["results"]) == 50
    assert counts[0] == counts[1] <= 10, counts


def test_patch_changes_all_or_nothing(analyst: User, incident: Incident) -> None:
    api, path = Api(analyst), f"/incidents/{incident.pk}/"
    body = api.patch(path, {"summary": "**What** happened", "pap": "red", "techniques": ["t1566.001"]}).json()
    assert (body["summary"], body["pap"], body["techniques"]) == ("**What** happened", "red", ["T1566.001"])
    for changes, field in (
        ({"title": "New", "status": "closed"}, "determination"),
        ({"title": "New", "techniques": ["X1"]}, "techniques"),
        ({"title": "New", "restricted": "of course"}, "restricted"),
    ):
        assert problem_of(api.patch(path, changes), 400)["errors"][0]["field"] == field
    problem_of(api.patch(path, {"title": "New", "restricted": True}), 403)  # whoever manages its access may
    assert Incident.objects.get().title == "Case"


def test_resolving_takes_its_alerts_along_unless_told_otherwise(analyst: User, incident: Incident) -> None:
    api = Api(analyst)
    path = f"/incidents/{incident.pk}/status/"
    problem_of(api.post(path, {"status": "resolved"}), 400)
    kept = {"status": "resolved", "determination": "malicious", "resolve_alerts": False}
    assert api.post(path, kept).json()["status"] == "resolved"
    assert api.get("/alerts/", status="new").json()["results"]
    assert api.post(path, {"status": "in_progress"}).json()["resolved_at"] is None
    done = api.post(path, {"status": "closed", "reason": "Cleaned"}).json()
    assert (done["status"], done["resolve_reason"]) == ("closed", "Cleaned")
    assert api.get("/alerts/").json()["results"][0]["determination"] == "malicious"


def test_owners_and_lead(analyst: User, responder: User, stranger: User, incident: Incident) -> None:
    api, path = Api(analyst), f"/incidents/{incident.pk}/owners/"
    body = api.post(path, {"add": ["mara", "sam"], "lead": "priya"}).json()
    assert [owner["username"] for owner in body["owners"]] == ["priya", "mara", "sam"]
    body = api.post(path, {"remove": ["sam"], "lead": None}).json()
    assert body["owners"] == [{"username": "mara", "lead": False}, {"username": "priya", "lead": False}]
    problem_of(api.post(path, {"add": ["ghost"]}), 400)
    lead = api.post(f"/incidents/{incident.pk}/assign/", {"owner": "sam", "team": None}).json()
    assert lead["owners"][0] == {"username": "sam", "lead": True}
    assert lead["team"] is None


def test_notes_and_the_joined_timeline(analyst: User, incident: Incident) -> None:
    api, alert = Api(analyst), Alert.objects.get()
    note = api.post(f"/incidents/{incident.pk}/comment/", {"text": "Night shift: done", "kind": "handoff"})
    assert (note.status_code, note.json()["kind"]) == (201, "handoff")
    entries = api.get(f"/incidents/{incident.pk}/timeline/").json()["results"]
    assert entries[0] | {"not_told": []} == note.json()
    assert {entry["subject"] for entry in entries} == {incident.number, alert.number}
    assert {"alert.opened", "incident.opened"} <= {entry["kind"] for entry in entries}
    problem_of(api.post(f"/incidents/{incident.pk}/comment/", {"text": "x", "kind": "changed"}), 400)


def test_link_and_unlink_alerts(analyst: User, incident: Incident) -> None:
    api, more = Api(analyst), [make_alert(), make_alert()]
    body = api.post(f"/incidents/{incident.pk}/link/", {"alerts": [more[0].number, more[1].pk]}).json()
    assert body["alert_count"] == 3
    rows = api.get(f"/incidents/{incident.pk}/alerts/", page_size=2).json()
    rest = api.get(rows["next"]).json()
    assert [row["id"] for row in rows["results"] + rest["results"]] == sorted(
        Alert.objects.values_list("pk", flat=True), reverse=True
    )
    other = make_incident()
    refused = problem_of(api.post(f"/incidents/{other.pk}/unlink/", {"alerts": [more[0].pk]}), 400)
    assert incident.number in refused["detail"]
    assert api.post(f"/incidents/{incident.pk}/unlink/", {"alerts": [more[0].pk]}).json()["alert_count"] == 2
    problem_of(api.post(f"/incidents/{incident.pk}/link/", {"alerts": []}), 400)
    problem_of(api.post(f"/incidents/{incident.pk}/link/", {"alerts": [1.5]}), 400)


def test_observables_of_its_own_and_of_its_alerts(analyst: User, viewer: User, incident: Incident) -> None:
    api, path = Api(analyst), f"/incidents/{incident.pk}/observables/"
    made = api.post(path, {"type": "domain", "value": "Bad[.]example[.]com"})
    again = api.post(path, {"type": "domain", "value": "bad.example.com"})
    assert made.status_code == again.status_code == 201
    assert made.json()["id"] == again.json()["id"]
    rows = {row["value"]: row for row in api.get(path).json()["results"]}
    assert (rows["203.0.113.7"]["alerts"], rows["203.0.113.7"]["added_by"]) == (1, None)
    assert (rows["bad.example.com"]["alerts"], rows["bad.example.com"]["added_by"]) == (0, "Mara Lindqvist")
    own = f"{path}{made.json()['id']}/"
    problem_of(Api(viewer).delete(own), 403)
    assert api.delete(own).status_code == 204
    problem_of(api.delete(own), 404)
    problem_of(api.delete(f"{path}{rows['203.0.113.7']['id']}/"), 404)
    problem_of(api.delete(f"{path}{'9' * 30}/"), 404)
    for body, field in (
        ({"type": "ip", "value": "999.1.1.1"}, "value"),
        ({"type": "planet", "value": "Mars"}, "type"),
        ({"type": "ip", "value": 7}, "value"),
    ):
        assert problem_of(api.post(path, body), 400)["errors"][0]["field"] == field


def test_an_alert_of_another_team_is_seen_in_the_incident(analyst: User, incident: Incident, red: Team) -> None:
    theirs = make_alert("Theirs", source=make_source(team=red))
    problem_of(Api(analyst).get(f"/alerts/{theirs.pk}/"), 404)
    Alert.objects.filter(pk=theirs.pk).update(incident=incident)
    rows = Api(analyst).get(f"/incidents/{incident.pk}/alerts/").json()["results"]
    assert "Theirs" in {row["title"] for row in rows}
    assert Api(analyst).get(f"/alerts/{theirs.pk}/").json()["incident"] == incident.number


def test_suggestions_are_listed_accepted_and_dismissed(analyst: User, viewer: User) -> None:
    alerts = [make_alert(f"Number {n}", observables=(("ip", "198.51.100.23"),)) for n in range(3)]
    api = Api(analyst)
    found = api.get("/incidents/suggestions/").json()["results"]
    assert len(found) == 1
    one = found[0]
    assert one.keys() == {"key", "title", "alerts", "incident", "reasons", "score"}
    assert set(one["alerts"]) == {alert.pk for alert in alerts}
    assert one["reasons"][0] == {"type": "ip", "value": "198.51.100.23", "text": "same address"}
    path = f"/incidents/suggestions/{one['key']}"
    problem_of(Api(viewer).post(f"{path}/accept/", {}), 403)
    problem_of(Api(viewer).post(f"{path}/dismiss/"), 403)
    answer = api.post(f"{path}/accept/", {"title": "Same address"})
    assert (answer.status_code, answer.json()["alert_count"]) == (201, 3)
    problem_of(api.post(f"{path}/accept/", {}), 404)
    for _ in range(2):
        make_alert(observables=(("ip", "198.51.100.24"),))
    key = api.get("/incidents/suggestions/").json()["results"][0]["key"]
    assert api.post(f"/incidents/suggestions/{key}/dismiss/").json() == {"key": key, "dismissed": True}
    assert api.get("/incidents/suggestions/").json()["results"] == []
    problem_of(api.post("/incidents/suggestions/nothing/dismiss/"), 404)
    problem_of(Api(None).get("/incidents/suggestions/"), 401)
