"""Rating an observable again by its page: who may, what is asked, what is shown (response-playbooks.md 13)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from cases.actions import ratings
from cases.actions.observables import add_to_incident, observable_of, rate
from cases.actors import Actor
from cases.choices import Risk
from cases.errors import Forbidden, Missing
from cases.models import Alert, Incident, Observable
from soar.accounts.models import AuditEntry, User
from soar.connectors import actions
from soar.connectors.models import Attempt
from soar.standins.server import Server
from soar.standins.virustotal import VirusTotal
from tests.factories import make_alert, make_incident
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db(transaction=True)
BAD = "bad.example.net"


@pytest.fixture
def virustotal() -> Iterator[VirusTotal]:
    standin = VirusTotal()
    with Server([standin]) as server:
        settings = {"url": server.urls["virustotal"]["url"], "allow_internal": True}
        actions.create_account(None, "virustotal", "VirusTotal", settings, {"token": "key-0123456789"})
        yield standin


@pytest.fixture
def alert() -> Alert:
    return make_alert("Beacon", observables=(("domain", BAD),), tlp="amber")


def seen() -> Observable:
    return Observable.objects.get(value=BAD)


def work_off() -> int:
    """Do what is queued for ratings, as a worker does; how much that was."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue WHERE task = %s RETURNING args", [ratings.TASK])
        rows = cursor.fetchall()
    for (args,) in rows:
        ratings.rate_again(*(json.loads(args) if isinstance(args, str) else args))
    return len(rows)


def page(client: Client, **headers: Any) -> str:
    return client.get(f"/observables/{seen().pk}/", headers=headers).content.decode()


def test_the_button_asks_in_the_background_and_the_page_shows_the_answer(
    virustotal: VirusTotal, alert: Alert, analyst: User
) -> None:
    virustotal.state["known"][BAD] = 12
    client = client_of(analyst)
    assert "Rate now" in page(client)
    text = client.post(f"/observables/{seen().pk}/rate/", follow=True).content.decode()
    assert "Providers are being asked" in text
    assert 'hx-trigger="every 2s"' in text
    assert not Attempt.objects.exists()
    assert work_off() == 1
    text = page(client)
    for words in ("Highly suspicious", "Over the threshold of VirusTotal", "12 of 90 engines say malicious",
                  "malicious <b>12</b>", "Rate again"):  # fmt: skip
        assert words in text
    assert "every 2s" not in text
    assert seen().risk == Risk.HIGHLY_SUSPICIOUS
    assert AuditEntry.objects.filter(verb="observable.rating_asked").count() == 1


def test_htmx_gets_the_section_alone(virustotal: VirusTotal, alert: Alert, analyst: User) -> None:
    answer = client_of(analyst).post(f"/observables/{seen().pk}/rate/", headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert 'id="rating"' in text
    assert "<html" not in text
    assert "<html" not in page(client_of(analyst), **{"HX-Request": "true", "HX-Target": "rating"})


def test_twice_is_asked_once(virustotal: VirusTotal, alert: Alert, analyst: User) -> None:
    assert ratings.request_rating(analyst, seen().pk)
    assert not ratings.request_rating(analyst, seen().pk)
    assert work_off() == 1
    assert ratings.request_rating(analyst, seen().pk)


def test_a_dead_provider_is_shown_as_unrated_with_the_reason(
    virustotal: VirusTotal, alert: Alert, analyst: User
) -> None:
    virustotal._order({"kind": "500", "times": 9})
    ratings.request_rating(analyst, seen().pk)
    work_off()
    text = page(client_of(analyst))
    assert "not every provider could say" in text
    assert "answered 500" in text
    assert seen().risk == Risk.UNRATED


def test_13_the_strictest_mark_of_all_that_name_it_decides(
    virustotal: VirusTotal, alert: Alert, analyst: User, admin: User
) -> None:
    secret = make_alert("Secret", observables=(("domain", BAD),), tlp="red")
    ratings.request_rating(analyst, seen().pk)
    work_off()
    assert not Attempt.objects.exists()
    assert "a TLP mark forbids it" in page(client_of(analyst)) and "TLP:RED" not in page(client_of(analyst))
    Alert.objects.filter(pk=secret.pk).update(tlp="amber")
    incident = make_incident("Restricted")
    Incident.objects.filter(pk=incident.pk).update(pap="red", tlp="amber")
    add_to_incident(Actor.of(admin), incident.pk, "domain", BAD)
    ratings.request_rating(analyst, seen().pk)
    work_off()
    assert not Attempt.objects.exists()
    assert "a PAP mark forbids it" in page(client_of(analyst))


def test_who_may(alert: Alert, viewer: User, stranger: User, nobody: User, red: Any) -> None:
    with pytest.raises(Forbidden):
        ratings.request_rating(viewer, seen().pk)
    Alert.objects.update(team=None)
    assert client_of(viewer).post(f"/observables/{seen().pk}/rate/").status_code == 403
    assert "Rate now" not in page(client_of(viewer))
    assert client_of(nobody).post(f"/observables/{seen().pk}/rate/").status_code == 403
    hidden = observable_of("domain", "hidden.example.net")
    with pytest.raises(Missing):
        ratings.request_rating(stranger, hidden.pk)
    assert client_of(stranger).post(f"/observables/{hidden.pk}/rate/").status_code == 404
    assert client_of(stranger).get(f"/observables/{seen().pk}/rate/").status_code == 405


@pytest.mark.parametrize(
    "kept",
    [{}, {"evidence": 5, "scores": [], "problems": "x"},
     {"evidence": [7, {"list": 5, "at": 7}], "scores": {"5": {"a": [1]}}},
     {"rule": "<b>bold</b>", "benign": "On the exception list", "asking": "never"}, {"asking": 5}],
)  # fmt: skip
def test_whatever_is_kept_the_page_shows_it(alert: Alert, analyst: User, kept: dict[str, Any]) -> None:
    rate(seen(), "suspicious", kept)
    answer = client_of(analyst).get(f"/observables/{seen().pk}/")
    assert answer.status_code == 200
    assert "<b>bold</b>" not in answer.content.decode()
