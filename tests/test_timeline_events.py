"""Events made by hand: their time is not that of the entry (casework.md 13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from cases import timeline
from cases.actions import events, incidents, notes, observables
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import Incident, Mention, TimelineEntry
from cases.reporting import csv_timeline, markdown
from cases.reporting.document import document
from cases.reporting.notes import notes_of
from cases.verify import report_of_incident
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.api import Api, wrong_fields
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


def corrected(user: User, entry: TimelineEntry, at: datetime, text: str | None = None) -> TimelineEntry:
    return notes.edit_comment(Actor.of(user), entry.pk, text, occurred_at=at)


def test_the_time_of_an_event_is_corrected_and_the_old_one_stays(analyst: User, incident: Incident) -> None:
    entry = events.record_event(Actor.of(analyst), incident.pk, "First beacon", occurred_at=PAST)
    later = PAST + timedelta(hours=9)
    made = corrected(analyst, entry, later)
    assert made.occurred_at == later and made.text == "First beacon"
    assert made.data["occurred_at"] == {"old": "2026-03-01T08:30:00Z", "new": "2026-03-01T17:30:00Z"}
    page = client_of(analyst).get(f"/incidents/{incident.number}/").content.decode()
    box = page.partition(f'id="entry-{entry.pk}"')[2].partition("</li>")[0]
    assert "Time corrected, before:" in box and "earlier wording" not in box
    assert 'datetime="2026-03-01T08:30:00Z"' in box and 'datetime="2026-03-01T17:30:00Z"' in box
    again = corrected(analyst, entry, PAST, "First beacon of all")
    assert again.data["occurred_at"]["old"] == "2026-03-01T17:30:00Z"
    assert report_of_incident(Incident.objects.get(pk=incident.pk)).findings == []


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_the_form_corrects_the_time(
    as_analyst: Client, analyst: User, incident: Incident, headers: dict[str, str]
) -> None:
    entry = events.record_event(Actor.of(analyst), incident.pk, "Beacon", occurred_at=PAST + timedelta(microseconds=7))
    url = f"/timeline/{entry.pk}/edit/"
    assert 'value="2026-03-01T08:30:00"' in as_analyst.get(url, headers=headers).content.decode()
    same = as_analyst.post(url, {"text": "Beacon", "occurred_at": "2026-03-01T08:30:00"}, headers=headers)
    assert same.status_code == 422 and "same as before" in same.content.decode()
    for odd, words in (("", "Say when it happened"), ("2199-01-01T00:00", "in the future"), ("x", "Say when")):
        refused = as_analyst.post(url, {"text": "Kept words", "occurred_at": odd}, headers=headers)
        assert refused.status_code == 422 and words in refused.content.decode()
        assert "Kept words" in refused.content.decode() and 'aria-describedby="entry-text-error"' in str(
            refused.content
        )
    done = as_analyst.post(url, {"text": "Beacon", "occurred_at": "2026-03-01T09:45:10"}, headers=headers)
    assert done.status_code == (200 if headers else 302)
    made = incident.timeline.get(kind="comment.edited")
    assert made.occurred_at == datetime(2026, 3, 1, 9, 45, 10, tzinfo=UTC)
    text = as_analyst.post(url, {"text": "Beacons", "occurred_at": "2026-03-01T09:45:10"}, headers=headers)
    assert text.status_code in (200, 302)
    newest = incident.timeline.filter(kind="comment.edited").order_by("-pk")[0]
    assert newest.text == "Beacons" and "occurred_at" not in newest.data


def test_a_note_has_no_time_to_correct(analyst: User, incident: Incident) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "A note")
    with pytest.raises(Refused, match="no time of its own"):
        corrected(analyst, note, PAST)
    assert 'name="occurred_at"' not in client_of(analyst).get(f"/timeline/{note.pk}/edit/").content.decode()


def test_only_its_writer_corrects_the_time(analyst: User, responder: User, stranger: User, incident: Incident) -> None:
    entry = events.record_event(Actor.of(analyst), incident.pk, "Beacon", occurred_at=PAST)
    with pytest.raises(Forbidden):
        corrected(responder, entry, PAST - timedelta(days=1))
    with pytest.raises(Missing):
        corrected(stranger, entry, PAST - timedelta(days=1))


def test_order_filter_and_pages_go_by_the_corrected_time(as_analyst: Client, analyst: User, incident: Incident) -> None:
    me = Actor.of(analyst)
    first = events.record_event(me, incident.pk, "First", occurred_at=PAST)
    second = events.record_event(me, incident.pk, "Second", occurred_at=PAST + timedelta(hours=1))
    corrected(analyst, first, PAST + timedelta(hours=2))
    corrected(analyst, first, PAST + timedelta(hours=3))
    url = f"/incidents/{incident.number}/"
    html = as_analyst.get(f"{url}?order=event").content.decode()
    assert html.index(f'id="entry-{first.pk}"') < html.index(f'id="entry-{second.pk}"')
    behind = as_analyst.get(f"{url}timeline/?order=event&before={first.pk}", headers=HTMX).content.decode()
    assert f'id="entry-{second.pk}"' in behind and f'id="entry-{first.pk}"' not in behind
    late = as_analyst.get(f"{url}?since=2026-03-01T11:00&until=2026-03-01T12:00").content.decode()
    assert f'id="entry-{first.pk}"' in late and f'id="entry-{second.pk}"' not in late
    old = as_analyst.get(f"{url}?since=2026-03-01T08:00&until=2026-03-01T09:00&order=event").content.decode()
    assert f'id="entry-{first.pk}"' not in old


def test_programs_correct_the_time(analyst: User, incident: Incident) -> None:
    api, entry = Api(analyst), events.record_event(Actor.of(analyst), incident.pk, "Beacon", occurred_at=PAST)
    path = f"/timeline/{entry.pk}/correct/"
    made = api.post(path, {"occurred_at": "2026-03-01T09:30:00+01:00", "text": "Beacons"}).json()
    assert made["text"] == "Beacons" and "occurred_at" not in made["data"]  # the same moment
    made = api.post(path, {"occurred_at": "2026-03-01T10:30:00Z"}).json()
    assert (made["text"], made["occurred_at"]) == ("Beacons", "2026-03-01T10:30:00Z")
    for body, field in (({}, "text"), ({"occurred_at": "soon"}, "occurred_at"), ({"occurred_at": 5}, "occurred_at")):
        assert wrong_fields(api.post(path, body)) == {field}


def test_exports_tell_both_times(admin: User, analyst: User, incident: Incident) -> None:
    me = Actor.of(analyst)
    entry = events.record_event(me, incident.pk, "Moved event", occurred_at=PAST)
    events.record_event(me, incident.pk, "Between", occurred_at=PAST + timedelta(hours=1))
    corrected(analyst, entry, PAST + timedelta(hours=2))
    told = document(admin, incident.pk)
    text = markdown.render(told, lambda _percent: None).decode()
    assert text.index("Between") < text.index("Moved event")
    assert "2026-03-01 10:30:00Z" in text and "time corrected, before 2026-03-01 08:30:00Z" in text
    (moved,) = [one for one, words in notes_of(told) if words == "Moved event"]
    assert moved["occurred_at"] == "2026-03-01T10:30:00Z"
    rows = b"".join(csv_timeline.render(told)).decode()
    assert "corrected when an event happened" in rows
