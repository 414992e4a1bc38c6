"""Pinned entries: on top for everybody, beside a timeline that is never changed (casework.md 13)."""

from __future__ import annotations

from functools import partial

import pytest
from django.test import Client

from cases.actions import alerts, incidents, merge, merge_undo, pins
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Incident, IncidentMove, TimelineEntry, TimelinePin
from cases.purge import purge
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source, make_user
from tests.fixtures import client_of
from tests.test_concurrency import Racers, held, whole

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Case", make_alert("Beacon", source=make_source(team=blue)), team=blue)


@pytest.fixture
def note(incident: Incident, analyst: User) -> TimelineEntry:
    return incidents.comment(Actor.of(analyst), incident.pk, "**Do not** touch SRV-FIN-01")


def top(page: str) -> str:
    return page.partition('id="timeline-pins"')[2].partition("</section>")[0]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_pinned_for_everybody_and_unpinned(
    as_analyst: Client, as_viewer: Client, incident: Incident, note: TimelineEntry, headers: dict[str, str]
) -> None:
    url = f"/incidents/{incident.number}/"
    answer = as_analyst.post(f"{url}pin/", {"entry": note.pk}, headers=headers)
    if headers:
        assert "Do not" in top(answer.content.decode())
        assert f'<li id="entry-{note.pk}" hx-swap-oob="true">' in answer.content.decode()
    else:
        assert answer["Location"] == f"{url}?entry={note.pk}#entry-{note.pk}"
    page = as_viewer.get(url).content.decode()
    assert "<strong>Do not</strong>" in top(page)
    assert "pinned by Mara Lindqvist" in top(page)
    assert "unpin-form" not in page  # a viewer changes nothing
    as_analyst.post(f"{url}pin/", {"entry": note.pk, "un": "1"}, headers=headers)
    assert "Do not" not in top(as_viewer.get(url).content.decode())
    kinds = list(incident.timeline.filter(kind__startswith="entry.").order_by("pk").values_list("kind", flat=True))
    assert kinds == ["entry.pinned", "entry.unpinned"]
    assert report_of_incident(incident).findings == []


def test_what_is_far_back_is_on_top(as_viewer: Client, analyst: User, incident: Incident, note: TimelineEntry) -> None:
    pins.pin(Actor.of(analyst), note.pk)
    for number in range(55):
        incidents.comment(Actor.of(analyst), incident.pk, f"Later {number}")
    page = as_viewer.get(f"/incidents/{incident.number}/").content.decode()
    assert "Do not" in top(page)
    assert f'id="entry-{note.pk}"' not in page


def test_an_alerts_entry_is_pinned_on_the_alert_and_seen_in_its_incident(
    as_analyst: Client, incident: Incident
) -> None:
    entry = TimelineEntry.objects.get(alert__incident=incident, kind="alert.opened")
    number = f"ALR-{entry.alert_id}"
    assert as_analyst.post(f"/alerts/{number}/pin/", {"entry": entry.pk}, headers=HTMX).status_code == 200
    assert "opened the alert" in top(as_analyst.get(f"/alerts/{number}/").content.decode())
    assert "opened the alert" in top(as_analyst.get(f"/incidents/{incident.number}/").content.decode())


def test_twice_is_once(analyst: User, responder: User, note: TimelineEntry) -> None:
    pins.pin(Actor.of(analyst), note.pk)
    pins.pin(Actor.of(responder), note.pk)
    assert TimelinePin.objects.get().pinned_by == "Mara Lindqvist"
    pins.unpin(Actor.of(analyst), note.pk)
    pins.unpin(Actor.of(analyst), note.pk)
    assert TimelineEntry.objects.filter(kind__startswith="entry.").count() == 2


def test_who_may_not(viewer: User, stranger: User, analyst: User, incident: Incident, note: TimelineEntry) -> None:
    with pytest.raises(Forbidden):
        pins.pin(Actor.of(viewer), note.pk)
    with pytest.raises(Missing):
        pins.pin(Actor.of(stranger), note.pk)
    for entry in (2**62, 2**80, 0):
        with pytest.raises(Missing):
            pins.pin(Actor.of(analyst), entry)
    url = f"/incidents/{incident.number}/pin/"
    assert client_of(viewer).post(url, {"entry": note.pk}).status_code == 403
    assert client_of(stranger).post(url, {"entry": note.pk}).status_code == 404


@pytest.mark.parametrize("entry", ["", "x", "-1", "999999999", "9" * 30])
def test_an_entry_that_is_not_there(as_analyst: Client, incident: Incident, entry: str) -> None:
    assert as_analyst.post(f"/incidents/{incident.number}/pin/", {"entry": entry}, headers=HTMX).status_code == 404


def test_an_entry_of_another_incident_is_not_pinned_here(as_analyst: Client, incident: Incident, blue: Team) -> None:
    other = make_incident("Other", team=blue)
    entry = TimelineEntry.objects.get(incident=other)
    assert as_analyst.post(f"/incidents/{incident.number}/pin/", {"entry": entry.pk}).status_code == 404
    assert not TimelinePin.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_no_more_than_twenty(
    as_analyst: Client, analyst: User, incident: Incident, note: TimelineEntry, headers: dict[str, str]
) -> None:
    for number in range(20):
        pins.pin(Actor.of(analyst), incidents.comment(Actor.of(analyst), incident.pk, f"Note {number}").pk)
    url = f"/incidents/{incident.number}/pin/"
    answer = as_analyst.post(url, {"entry": note.pk}, headers=headers, follow=not headers)
    assert "At most 20 entries are pinned" in answer.content.decode()
    assert TimelinePin.objects.count() == 20


def test_that_it_was_pinned_is_not_pinned(analyst: User, incident: Incident, note: TimelineEntry) -> None:
    pins.pin(Actor.of(analyst), note.pk)
    with pytest.raises(Refused):
        pins.pin(Actor.of(analyst), incident.timeline.get(kind="entry.pinned").pk)


def test_the_poll_brings_the_pin_of_somebody_else(
    as_viewer: Client, analyst: User, incident: Incident, note: TimelineEntry
) -> None:
    url = f"/incidents/{incident.number}/"
    page = as_viewer.get(url).content.decode()
    cursor = page.partition("live/?cursor=")[2].partition('"')[0]
    pins.pin(Actor.of(analyst), note.pk)
    assert "Do not" in top(as_viewer.get(f"{url}live/?cursor={cursor}", headers=HTMX).content.decode())


def test_purging_takes_pins_and_mentions(analyst: User, responder: User, incident: Incident) -> None:
    entry = incidents.comment(Actor.of(analyst), incident.pk, "@priya")
    pins.pin(Actor.of(analyst), entry.pk)
    alert = incident.alerts.get()
    told = purge(None, incidents=[incident.pk], alerts=[alert.pk], reason="test")
    assert told.incidents == 1
    assert not TimelinePin.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_pin_at_once_are_one_pin() -> None:
    two = [make_user("mara", "Analyst"), make_user("priya", "Analyst")]
    incident = make_incident("Case")
    note, racers = incidents.comment(Actor.system(), incident.pk, "Both"), Racers()
    with held(incident):
        for number, user in enumerate(two, 1):
            racers.start(partial(pins.pin, Actor.of(user), note.pk))
            racers.waiting(number)
    racers.join()
    assert racers.errors == []
    assert TimelinePin.objects.count() == incident.timeline.filter(kind="entry.pinned").count() == 1
    whole()


def test_a_pin_of_an_alert_without_incident(as_analyst: Client, analyst: User, blue: Team) -> None:
    alert = make_alert("Beacon", source=make_source(team=blue))
    note = alerts.comment(Actor.of(analyst), alert.pk, "Ask first")
    as_analyst.post(f"/alerts/{alert.number}/pin/", {"entry": note.pk}, headers=HTMX)
    assert "Ask first" in top(as_analyst.get(f"/alerts/{alert.number}/").content.decode())


def test_a_pin_that_came_while_it_was_merged_stays_after_the_undo(
    incident: Incident, note: TimelineEntry, analyst: User, as_analyst: Client, blue: Team
) -> None:
    me, other = Actor.of(analyst), make_incident("Other", team=blue)
    merge.merge(me, other.pk, [incident.pk])
    pins.pin(me, note.pk)
    assert "Do not" in top(as_analyst.get(f"/incidents/{other.number}/").content.decode())
    merge_undo.undo(me, other.pk, IncidentMove.objects.get().pk)
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "Do not" in top(page)
    assert "Do not" not in as_analyst.get(f"/incidents/{other.number}/").content.decode()
    pins.unpin(me, note.pk)
    assert "Do not" not in top(as_analyst.get(f"/incidents/{incident.number}/").content.decode())
