"""Inbox, choices and watching over the API: one's own alone, conditions, wrong bodies (casework.md 19)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Incident, Notification, NotificationSettings, Watch
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident
from tests.notification_tools import run

pytestmark = pytest.mark.django_db
HERE = "/api/v1/notifications/"
CHOICES = "/api/v1/notification-settings/"


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Takeover", team=blue)


@pytest.fixture
def told(incident: Incident, analyst: User, responder: User) -> list[Notification]:
    incidents.owners(Actor.of(responder), incident.pk, add=[analyst])
    incidents.comment(Actor.of(responder), incident.pk, "Look at the proxy log")
    run()
    return list(Notification.objects.filter(user=analyst).order_by("pk"))


def post(client: Client, address: str, body: Any, **headers: str) -> Any:
    return client.post(address, body, content_type="application/json", headers=headers)


def test_a_line_says_what_happened(as_analyst: Client, told: list[Notification], incident: Incident) -> None:
    found = as_analyst.get(HERE).json()
    newest = found["results"][0]
    assert (newest["reason"], newest["number"], newest["actor"]) == ("comment", incident.number, "Priya Raman")
    assert newest["text"] == "Priya Raman wrote a note" and newest["excerpt"] == "Look at the proxy log"
    assert newest["read_at"] is None and newest["url"].endswith(f"/inbox/{newest['id']}/")
    assert as_analyst.get(f"{HERE}{newest['id']}/").json() == newest
    assert as_analyst.get(f"{HERE}{newest['id']}/").json()["read_at"] is None


def test_only_one_s_own(as_stranger: Client, as_viewer: Client, told: list[Notification], client: Client) -> None:
    for other in (as_stranger, as_viewer):
        assert other.get(HERE).json()["results"] == []
        assert other.get(f"{HERE}{told[0].pk}/").status_code == 404
        assert post(other, f"{HERE}read/", {"ids": [told[0].pk]}).json() == {"changed": 0}
        assert post(other, f"{HERE}read/", {"up_to": 10**18}).json() == {"changed": 0}
    assert client.get(HERE).status_code == 401
    assert Notification.objects.filter(read_at=None).count() == 2


def test_filters(as_analyst: Client, told: list[Notification]) -> None:
    post(as_analyst, f"{HERE}read/", {"ids": [told[0].pk]})
    assert [row["id"] for row in as_analyst.get(f"{HERE}?unread=true").json()["results"]] == [told[1].pk]
    assert [row["id"] for row in as_analyst.get(f"{HERE}?reason=assigned").json()["results"]] == [told[0].pk]
    for wrong in ("unread=maybe", "reason=boredom", "nonsense=1", "cursor=x"):
        assert as_analyst.get(f"{HERE}?{wrong}").status_code == 400, wrong


def test_marking(as_analyst: Client, told: list[Notification]) -> None:
    ids = [row.pk for row in told]
    assert post(as_analyst, f"{HERE}read/", {"ids": ids}).json() == {"changed": 2}
    assert post(as_analyst, f"{HERE}read/", {"ids": ids}).json() == {"changed": 0}
    assert post(as_analyst, f"{HERE}unread/", {"ids": ids[:1]}).json() == {"changed": 1}
    assert post(as_analyst, f"{HERE}read/", {"up_to": ids[0]}).json() == {"changed": 1}


@pytest.mark.parametrize("body", [{}, {"ids": [1], "up_to": 2}, {"ids": ["x"]}, {"ids": [0]}, {"ids": 7},
                                  {"ids": list(range(1, 300))}, {"up_to": True}, {"all": True}])  # fmt: skip
def test_a_wrong_mark_is_refused(as_analyst: Client, told: list[Notification], body: Any) -> None:
    answer = post(as_analyst, f"{HERE}read/", body)
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"


def test_what_is_not_seen_any_more_is_not_there(
    as_analyst: Client, told: list[Notification], incident: Incident
) -> None:
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    assert as_analyst.get(HERE).json()["results"] == []
    assert as_analyst.get(f"{HERE}{told[0].pk}/").status_code == 404


def test_choices(as_analyst: Client, analyst: User) -> None:
    answer = as_analyst.get(CHOICES)
    assert answer.json()["choices"]["mention"] == {"inbox": True, "email": "at_once", "chat": "at_once"}
    body = {"choices": {"comment": {"email": "hourly"}}, "quiet_from": "22:00", "quiet_until": "06:30"}
    changed = as_analyst.patch(CHOICES, body, content_type="application/json", headers={"If-Match": answer["ETag"]})
    assert changed.status_code == 200
    assert changed.json()["choices"]["comment"] == {"inbox": True, "email": "hourly", "chat": "off"}
    assert changed.json()["quiet_until"] == "06:30"
    as_analyst.patch(CHOICES, {"digest_hour": 6}, content_type="application/json")
    stale = as_analyst.patch(CHOICES, body, content_type="application/json", headers={"If-Match": changed["ETag"]})
    assert stale.status_code == 412
    assert NotificationSettings.objects.get().digest_hour == 6


@pytest.mark.parametrize("body", [
    {"choices": {"boredom": {"email": "off"}}}, {"choices": {"mention": {"email": "never"}}},
    {"choices": {"mention": {"fax": "off"}}}, {"choices": []}, {"digest_hour": 24}, {"quiet_from": "22:00"},
    {"quiet_from": "25:00", "quiet_until": "06:00"}, {"chat_way": "handle"},
    {"chat_account": 999, "chat_way": "handle"},
    {"chat_way": "webhook", "chat_kind": "slack", "chat_url": "file:///etc/passwd"}, {"paused_until": "soon"},
])  # fmt: skip
def test_a_wrong_choice_is_refused(as_analyst: Client, body: Any) -> None:
    assert as_analyst.patch(CHOICES, body, content_type="application/json").status_code == 400
    assert NotificationSettings.objects.count() == 0


def test_an_address_goes_in_and_never_comes_out(as_analyst: Client) -> None:
    body = {"chat_way": "webhook", "chat_kind": "slack", "chat_url": "https://hooks.slack.example/T/verysecret"}
    answer = as_analyst.patch(CHOICES, body, content_type="application/json")
    assert answer.status_code == 200 and answer.json()["has_chat_url"] is True
    assert b"verysecret" not in answer.content + as_analyst.get(CHOICES).content


def test_watching(as_analyst: Client, as_stranger: Client, incident: Incident, blue: Team) -> None:
    address = f"/api/v1/incidents/{incident.number}/watch/"
    assert as_analyst.get(address).json() == {"number": incident.number, "state": "none", "until": None}
    assert post(as_analyst, address, {"state": "follow"}).json()["state"] == "follow"
    muted = post(as_analyst, address, {"state": "mute", "until": "2099-01-01T00:00:00Z"}).json()
    assert (muted["state"], muted["until"]) == ("mute", "2099-01-01T00:00:00Z")
    wrong: list[Any] = [{"state": "x"}, {"state": "mute", "until": "2001-01-01T00:00:00Z"},
                        {"state": "follow", "until": "2099-01-01T00:00:00Z"}, {}]  # fmt: skip
    for body in wrong:
        assert post(as_analyst, address, body).status_code == 400, body
    alert = make_alert(team=blue)
    assert post(as_analyst, f"/api/v1/alerts/{alert.pk}/watch/", {"state": "follow"}).status_code == 400
    assert post(as_analyst, f"/api/v1/alerts/{alert.pk}/watch/", {"state": "mute"}).status_code == 200
    for other in (address, f"/api/v1/alerts/{alert.pk}/watch/"):
        assert as_stranger.get(other).status_code == 404
        assert post(as_stranger, other, {"state": "mute"}).status_code == 404
    assert Watch.objects.count() == 2
