"""Events made by hand: their time is not that of the entry (casework.md 13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from cases import timeline
from cases.actions import events, notes, observables
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Incident, Mention, TimelineEntry
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PAST = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Case", make_alert("Beacon", source=make_source(team=blue)), team=blue)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_event_in_ones_own_time_zone(
    as_analyst: Client, analyst: User, incident: Incident, headers: dict[str, str]
) -> None:
    User.objects.filter(pk=analyst.pk).update(time_zone="Europe/Oslo")
    given = {"text": f"**Macro** ran {EVIL}", "occurred_at": "2026-03-01T09:30"}
    answer = as_analyst.post(f"/incidents/{incident.number}/event/", given, headers=headers)
    entry = incident.timeline.get(kind="event")
    assert entry.occurred_at == PAST
    assert entry.recorded_at > PAST
    if headers:
        assert "dialog-close" in answer["HX-Trigger"]
    else:
        assert answer["Location"] == f"/incidents/{incident.number}/?entry={entry.pk}#entry-{entry.pk}"
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "<strong>Macro</strong>" in page
    assert EVIL not in page
    assert 'datetime="2026-03-01T08:30:00Z"' in page  # when it happened
    assert ">entered</span>" in page or "entered <time" in page  # and when it was written down
    assert report_of_incident(incident).findings == []


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"occurred_at": ""}, "Say when it happened"),
        ({"occurred_at": "yesterday"}, "Say when it happened"),
        ({"occurred_at": "2026-02-30T10:00"}, "Say when it happened"),
        ({"occurred_at": "0001-01-01T00:00"}, "Say when it happened"),
        ({"occurred_at": "1969-12-31T00:00"}, "Say when it happened"),
        ({"occurred_at": "2199-01-01T00:00"}, "in the future"),
        ({"text": "  "}, "Write something first"),
        ({"about": "asset:999999"}, "has no such asset"),
        ({"about": "asset:x"}, "has no such asset"),
        ({"about": "server:1"}, "is about one of"),
        ({"about": "technique:T1"}, "no ATT&amp;CK technique"),
    ],
)
def test_what_is_refused_keeps_what_was_typed(
    as_analyst: Client, incident: Incident, given: dict[str, str], words: str, headers: dict[str, str]
) -> None:
    typed = {"text": "Kept words", "occurred_at": "2026-03-01T09:30", "about": "", **given}
    answer = as_analyst.post(f"/incidents/{incident.number}/event/", typed, headers=headers)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert "Kept words" in answer.content.decode() or "text" in given
    assert not incident.timeline.filter(kind="event").exists()


def test_a_clock_that_runs_a_little_ahead_is_no_future(analyst: User, incident: Incident) -> None:
    actor = Actor.of(analyst)
    soon = clock.now() + timedelta(minutes=2)
    assert events.record_event(actor, incident.pk, "Now", occurred_at=soon).occurred_at == soon
    with pytest.raises(Refused, match="future"):
        events.record_event(actor, incident.pk, "Later", occurred_at=clock.now() + timedelta(minutes=9))


def test_what_it_is_about_is_offered_and_linked(as_analyst: Client, analyst: User, incident: Incident) -> None:
    seen = observables.add_to_incident(Actor.of(analyst), incident.pk, "domain", "bad.example.org")
    form = as_analyst.get(f"/incidents/{incident.number}/event/", headers=HTMX).content.decode()
    assert f'<option value="observable:{seen.pk}">bad.example.org</option>' in form
    given = {"text": "First beacon", "occurred_at": "2026-03-01T09:30", "about": f"observable:{seen.pk}"}
    as_analyst.post(f"/incidents/{incident.number}/event/", given, headers=HTMX)
    entry = incident.timeline.get(kind="event")
    expected = {"type": "observable", "id": seen.pk, "name": "bad.example.org", "kind": "domain"}
    assert entry.data["link"] == expected
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert f'<a href="/observables/{seen.pk}/">bad[.]example[.]org</a>' in page


def test_nothing_of_another_incident_is_linked(analyst: User, incident: Incident, blue: Team) -> None:
    other = make_incident("Other", team=blue)
    theirs = observables.add_to_incident(Actor.of(analyst), other.pk, "domain", "other.example.org")
    link: dict[str, Any] = {"type": "observable", "id": theirs.pk}
    with pytest.raises(Refused, match="no such observable"):
        events.record_event(Actor.of(analyst), incident.pk, "x", occurred_at=PAST, link=link)


def test_a_technique_and_a_mention(analyst: User, responder: User, incident: Incident) -> None:
    link = {"type": "technique", "id": "t1566.001"}
    entry = events.record_event(Actor.of(analyst), incident.pk, "Mail to @priya", occurred_at=PAST, link=link)
    assert entry.data["link"] == {"type": "technique", "id": "T1566.001", "name": "T1566.001"}
    assert list(Mention.objects.filter(entry=entry).values_list("user", flat=True)) == [responder.pk]
    page = client_of(analyst).get(f"/incidents/{incident.number}/").content.decode()
    assert "T1566.001" in page


def test_an_event_is_corrected_like_a_note(as_analyst: Client, analyst: User, incident: Incident) -> None:
    entry = events.record_event(Actor.of(analyst), incident.pk, "Frist", occurred_at=PAST)
    notes.edit_comment(Actor.of(analyst), entry.pk, "First")
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "1 earlier wording" in page


def test_who_may_not(viewer: User, stranger: User, incident: Incident) -> None:
    with pytest.raises(Forbidden):
        events.record_event(Actor.of(viewer), incident.pk, "x", occurred_at=PAST)
    with pytest.raises(Missing):
        events.record_event(Actor.of(stranger), incident.pk, "x", occurred_at=PAST)
    url = f"/incidents/{incident.number}/event/"
    assert client_of(viewer).get(url).status_code == 403
    assert client_of(stranger).get(url).status_code == 404
    assert "incident-event" not in client_of(viewer).get(f"/incidents/{incident.number}/").content.decode()


def test_the_order_by_event_time(as_analyst: Client, analyst: User, incident: Incident) -> None:
    old = events.record_event(Actor.of(analyst), incident.pk, "Long ago", occurred_at=PAST)
    older = events.record_event(Actor.of(analyst), incident.pk, "Longer ago", occurred_at=PAST - timedelta(days=1))
    url = f"/incidents/{incident.number}/"
    entry, event = as_analyst.get(url).content.decode(), as_analyst.get(f"{url}?order=event").content.decode()
    assert entry.index(f'id="entry-{older.pk}"') < entry.index(f'id="entry-{old.pk}"')
    assert event.index(f'id="entry-{old.pk}"') < event.index(f'id="entry-{older.pk}"')
    opened = TimelineEntry.objects.get(incident=incident, kind="incident.opened")
    assert event.index(f'id="entry-{opened.pk}"') < event.index(f'id="entry-{old.pk}"')


@transaction.atomic
def heard(incident: Incident) -> None:
    """A note from ServiceNow, whose data name the link that it came by."""
    locked = Incident.objects.select_for_update().get(pk=incident.pk)
    timeline.record("servicenow.note", locked, Actor.system(), text="The user is on the phone", data={"link": 7})


def test_only_an_event_is_about_something(as_analyst: Client, incident: Incident) -> None:
    heard(incident)
    html = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "The user is on the phone" in html and ">About" not in html
