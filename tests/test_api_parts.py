"""Parts of alerts and incidents, figures, kinds: what programs ask for besides (ingest-and-api.md 12)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import alerts
from cases.actors import Actor
from cases.models import AlertPayload, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_asset, make_incident, make_source

pytestmark = pytest.mark.django_db
HIDDEN = ["/alerts/{alert}/raw/", "/alerts/{alert}/similar/", "/incidents/{incident}/verify/", "/timeline/{entry}/"]


@pytest.mark.parametrize("path", HIDDEN)
def test_what_is_not_to_be_seen_is_404(viewer: User, red: Team, path: str) -> None:
    alert = make_alert(team=red)
    incident = make_incident("Theirs", alert, team=red)
    entry = TimelineEntry.objects.filter(alert=alert).order_by("pk").first() or alerts.comment(
        Actor.system(), make_alert(team=red).pk, "x"
    )
    problem_of(Api(viewer).get(path.format(alert=alert.pk, incident=incident.pk, entry=entry.pk)), 404)


def test_the_payload_as_it_came(viewer: User) -> None:
    alert = make_alert()
    AlertPayload.objects.update_or_create(alert=alert, defaults={"body": '{"a":  1}', "latest_body": '{"a": 2}'})
    body = Api(viewer).get(f"/alerts/{alert.number}/raw/").json()
    assert (body["number"], body["first"], body["latest"]) == (alert.number, '{"a":  1}', '{"a": 2}')


def test_similar_alerts_with_reasons(viewer: User, red: Team) -> None:
    one = make_alert("One", observables=(("ip", "203.0.113.7"),))
    other = make_alert("Other", observables=(("ip", "203.0.113.7"),))
    make_alert("Hidden", observables=(("ip", "203.0.113.7"),), team=red)
    rows = Api(viewer).get(f"/alerts/{one.pk}/similar/").json()["results"]
    assert [row["alert"]["number"] for row in rows] == [other.number]
    assert "203.0.113.7" in [why["value"] for why in rows[0]["reasons"]]


def test_an_alert_that_nothing_holds_back_stays(analyst: User, viewer: User) -> None:
    alert = make_alert()
    problem_of(Api(analyst).post(f"/alerts/{alert.pk}/unsuppress/"), 409)
    problem_of(Api(viewer).post(f"/alerts/{alert.pk}/unsuppress/"), 403)


def test_a_note_is_corrected_by_its_writer_alone(analyst: User, responder: User) -> None:
    alert = make_alert()
    note = Api(analyst).post(f"/alerts/{alert.pk}/comment/", {"text": "Frist"}).json()
    assert Api(responder).get(f"/timeline/{note['id']}/").json()["text"] == "Frist"
    problem_of(Api(responder).post(f"/timeline/{note['id']}/correct/", {"text": "Mine"}), 403)
    corrected = Api(analyst).post(f"/timeline/{note['id']}/correct/", {"text": "First"})
    assert (corrected.status_code, corrected.json()["data"]["of"]) == (201, note["id"])
    assert wrong_fields(Api(analyst).post(f"/timeline/{note['id']}/correct/", {"text": "First"})) == {"text"}


def test_assets_of_an_incident(analyst: User) -> None:
    incident, asset = make_incident("One"), make_asset("FIN-LT-0231")
    path, api = f"/incidents/{incident.number}/assets/", Api(analyst)
    assert wrong_fields(api.post(path, {"name": "Nowhere"})) == {"name"}
    made = api.post(path, {"name": "fin-lt-0231"})
    assert (made.status_code, made.json()["name"]) == (201, "FIN-LT-0231")
    assert [row["id"] for row in api.get(path).json()["results"]] == [asset.pk]
    problem_of(api.delete(f"{path}{asset.pk}/", headers={"If-Match": '"0"'}), 412)
    assert api.delete(f"{path}{asset.pk}/").status_code == 204
    problem_of(api.delete(f"{path}{asset.pk}/"), 404)


def test_a_whole_timeline_has_no_findings(analyst: User) -> None:
    api, incident = Api(analyst), make_incident("One")
    api.post(f"/incidents/{incident.pk}/comment/", {"text": "x"})
    body = api.get(f"/incidents/{incident.pk}/verify/").json()
    assert body["findings"] == [] and body["entries"] >= 1


def test_figures_are_of_what_one_sees(analyst: User, nobody: User, red: Team) -> None:
    edr = make_source("EDR", slug="edr")
    make_alert("Mine", source=edr, severity=4, owner=analyst)
    make_alert("Free", source=make_source("Mail"), severity=3)
    make_alert("Hidden", team=red, severity=4)
    make_incident("One")
    body = Api(analyst).get("/stats/").json()
    one, two = {"number": 1, "more": False}, {"number": 2, "more": False}
    assert (body["alerts"]["open"], body["alerts"]["mine"], body["alerts"]["unassigned"]) == (two, one, one)
    assert (body["alerts"]["by_severity"]["critical"], body["incidents"]["open"]) == (one, one)
    assert Api(analyst).get("/stats/", source="edr").json()["alerts"]["open"] == one
    assert wrong_fields(Api(analyst).get("/stats/", severity="loud")) == {"filter"}
    problem_of(Api(nobody).get("/stats/"), 403)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/source-kinds/", "visionone"),
        ("/connector-kinds/", "slack"),
        ("/timeline-kinds/", "comment"),
        ("/capabilities/", "isolate_endpoint"),
    ],
)
def test_what_there_is_to_choose_from(viewer: User, nobody: User, path: str, name: str) -> None:
    body: dict[str, Any] = Api(viewer).get(path).json()
    assert name in [row["name"] for row in body["results"]] and body["next"] is None
    problem_of(Api(nobody).get(path), 403)


def test_jobs_are_ones_own(analyst: User, responder: User) -> None:
    alert = make_alert()
    job = Api(analyst).post("/alerts/bulk/", {"ids": [alert.pk], "action": "claim"}).json()["job"]
    assert [row["id"] for row in Api(analyst).get("/jobs/").json()["results"]] == [job]
    assert Api(responder).get("/jobs/").json()["results"] == []


def test_an_observable_is_rated_again(analyst: User, viewer: User, red: Team) -> None:
    alert = make_alert(observables=(("ip", "203.0.113.7"),))
    hidden = make_alert(observables=(("ip", "203.0.113.8"),), team=red)
    pk = alert.observable_links.get().observable_id
    problem_of(Api(viewer).post(f"/observables/{pk}/rate/"), 403)
    problem_of(Api(analyst).post(f"/observables/{hidden.observable_links.get().observable_id}/rate/"), 404)
    answer = Api(analyst).post(f"/observables/{pk}/rate/")
    assert answer.status_code == 202 and "asking" in answer.json()["rating"]
