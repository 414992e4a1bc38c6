"""Timelines by the API: events, filters, pins, and who is told (ingest-and-api.md 12)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import incidents, pins
from cases.actors import Actor
from cases.models import Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api, problem_of, wrong_fields
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
EVENT: dict[str, Any] = {"text": "First sign-in", "occurred_at": "2026-03-01T08:30:00+01:00"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Case", make_alert(source=make_source(team=blue)), team=blue)


def test_an_event(analyst: User, responder: User, stranger: User, incident: Incident) -> None:
    body = {**EVENT, "text": "First sign-in, @priya and @sam look", "link": {"type": "technique", "id": "T1078"}}
    answer = Api(analyst).post(f"/incidents/{incident.number}/timeline/", body)
    entry = answer.json()
    assert answer.status_code == 201
    assert (entry["kind"], entry["occurred_at"]) == ("event", "2026-03-01T07:30:00Z")
    assert entry["data"]["mentions"] == [responder.pk]
    assert entry["data"]["link"]["name"] == "T1078"
    assert entry["not_told"] == ["sam"]
    rows = Api(analyst).get(f"/incidents/{incident.pk}/timeline/?ordering=occurred_at&page_size=1").json()["results"]
    assert [row["id"] for row in rows] == [entry["id"]]


def test_an_event_once_for_one_key(analyst: User, incident: Incident) -> None:
    api, path, headers = Api(analyst), f"/incidents/{incident.pk}/timeline/", {"Idempotency-Key": "event-1"}
    first, again = (api.post(path, EVENT, headers) for _ in range(2))
    assert first.json() == again.json()
    assert incident.timeline.filter(kind="event").count() == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"occurred_at": "2199-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": "soon"}, "occurred_at"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": 5}, "occurred_at"),
        ({"text": ""}, "text"),
        ({"text": 5}, "text"),
        ({"link": {"type": "asset", "id": 5}}, "link"),
        ({"link": {"type": "asset"}}, "link"),
        ({"link": "asset:5"}, "link"),
        ({"kind": "event"}, "kind"),
    ],
)
def test_what_is_refused(analyst: User, incident: Incident, given: dict[str, Any], field: str) -> None:
    answer = Api(analyst).post(f"/incidents/{incident.pk}/timeline/", {**EVENT, **given})
    assert answer.status_code == 400
    assert any(name.startswith(field) for name in wrong_fields(answer))
    assert not incident.timeline.filter(kind="event").exists()


def test_who_may_not_add_one(viewer: User, stranger: User, incident: Incident) -> None:
    problem_of(Api(viewer).post(f"/incidents/{incident.pk}/timeline/", EVENT), 403)
    problem_of(Api(stranger).post(f"/incidents/{incident.pk}/timeline/", EVENT), 404)


def test_pages_go_on_within_filter_and_order(analyst: User, incident: Incident) -> None:
    api = Api(analyst)
    for minute in range(7):
        api.post(f"/incidents/{incident.pk}/timeline/", {**EVENT, "occurred_at": f"2026-03-01T08:0{6 - minute}:00Z"})
    found: list[str] = []
    path = f"/incidents/{incident.pk}/timeline/?group=events,pinned&ordering=-occurred_at&page_size=3"
    while path:
        body = api.get(path).json()
        found += [row["occurred_at"] for row in body["results"]]
        path = (body["next"] or "").partition("/api/v1")[2]
    assert found == sorted(found, reverse=True)
    assert len(found) == 7


@pytest.mark.parametrize(
    ("query", "field"),
    [("group=nonsense", "group"), ("since=soon", "since"), ("until=2026-02-30", "until"), ("order=event", "order")],
)
def test_a_filter_that_is_none(viewer: User, incident: Incident, query: str, field: str) -> None:
    assert wrong_fields(Api(viewer).get(f"/incidents/{incident.pk}/timeline/?{query}")) == {field}
    alert = incident.alerts.get()
    assert wrong_fields(Api(viewer).get(f"/alerts/{alert.pk}/timeline/?{query}")) == {field}


def test_pins(analyst: User, viewer: User, stranger: User, incident: Incident) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "Ask first")
    problem_of(Api(viewer).post(f"/timeline/{note.pk}/pin/"), 403)
    problem_of(Api(stranger).post(f"/timeline/{note.pk}/pin/"), 404)
    assert Api(analyst).post(f"/timeline/{note.pk}/pin/").json()["id"] == note.pk
    rows = Api(viewer).get(f"/incidents/{incident.pk}/timeline/?group=pinned").json()["results"]
    assert [row["id"] for row in rows] == [note.pk]
    assert Api(analyst).post(f"/timeline/{note.pk}/unpin/").status_code == 200
    assert Api(viewer).get(f"/incidents/{incident.pk}/timeline/?group=pinned").json()["results"] == []
    pinned = incident.timeline.get(kind="entry.pinned")
    assert Api(analyst).post(f"/timeline/{pinned.pk}/pin/").status_code == 400
    problem_of(Api(analyst).post(f"/timeline/{2**62}/pin/"), 404)


def test_letting_in_who_is_mentioned(admin: User, analyst: User, stranger: User, incident: Incident) -> None:
    note = Api(analyst).post(f"/incidents/{incident.pk}/comment/", {"text": "@sam"}).json()
    assert note["not_told"] == ["sam"]
    problem_of(Api(analyst).post(f"/timeline/{note['id']}/let-in/", {"user": "sam"}), 403)
    answer = Api(admin).post(f"/timeline/{note['id']}/let-in/", {"user": "sam"})
    assert (answer.status_code, answer.json()["data"]["mentions"]) == (201, [stranger.pk])
    assert Api(stranger).get(f"/incidents/{incident.pk}/").status_code == 200
    assert wrong_fields(Api(admin).post(f"/timeline/{note['id']}/let-in/", {"user": "sam"})) == {"user"}


def test_an_alerts_timeline_has_its_pins(analyst: User, blue: Team) -> None:
    alert = make_alert(source=make_source(team=blue))
    entry = TimelineEntry.objects.get(alert=alert, kind="alert.opened")
    pins.pin(Actor.of(analyst), entry.pk)
    rows = Api(analyst).get(f"/alerts/{alert.pk}/timeline/?group=pinned").json()["results"]
    assert [row["id"] for row in rows] == [entry.pk]
