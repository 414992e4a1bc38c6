"""Finding something in a timeline: kinds, people, words, times, orders, pages, links to one entry (casework.md 13)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from cases import timeline
from cases.actions import alerts, events, incidents, notes
from cases.actors import Actor
from cases.models import Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def incident(blue: Team) -> Incident:
    return make_incident("Case", make_alert("Beacon", source=make_source(team=blue)), team=blue)


def shown(page: str) -> list[int]:
    """Ids of the entries, in order."""
    stream = page.partition('id="timeline"')[2]
    return [int(number) for number in re.findall(r'<li id="entry-(\d+)"', stream)]


def kinds(page: str) -> set[str]:
    return set(TimelineEntry.objects.filter(pk__in=shown(page)).values_list("kind", flat=True))


def fill(incident: Incident, actor: Actor, number: int) -> list[TimelineEntry]:
    """Events a minute apart, the newest entry the oldest event."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    return [
        events.record_event(actor, incident.pk, f"Event {n}", occurred_at=start - timedelta(minutes=n))
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=notes", {"comment", "handoff"}),
        ("group=events", {"event"}),
        ("group=alerts", {"alert.opened", "alert.linked", "incident.alert_linked"}),
        ("group=notes,events", {"comment", "handoff", "event"}),
        ("group=notes&group=events", {"comment", "handoff", "event"}),
        ("group=events&group=nonsense", {"event"}),
        ("group=changes", {"incident.opened", "changed"}),
        ("person=priya", {"handoff"}),
        ("person=Priya+Raman", {"handoff"}),
        ("person=priya+raman&group=events", set()),
        ("q=QUARANTINE", {"comment"}),
        ("q=critical", {"changed"}),
        ("q=100%25", set()),
        ("until=2026-03-05T00:00", {"event"}),
        ("since=2026-03-01T08:00&until=2026-03-01T08:00", {"event"}),
        ("since=2026-03-01T08:01&until=2026-03-05T00:00", set()),
        ("q=entered+wrongly", {"comment"}),
    ],
)
def test_filters(
    as_analyst: Client, analyst: User, responder: User, incident: Incident, query: str, expected: set[str]
) -> None:
    actor = Actor.of(analyst)
    note = incidents.comment(actor, incident.pk, "In quarantine")
    notes.edit_comment(actor, note.pk, "In quarantine, entered wrongly before")
    incidents.comment(Actor.of(responder), incident.pk, "Over to you", kind="handoff")
    incidents.update(actor, incident.pk, changes={"severity": "critical"})
    events.record_event(actor, incident.pk, "Macro ran", occurred_at=START)
    page = as_analyst.get(f"/incidents/{incident.number}/?{query}").content.decode()
    found = kinds(page)
    assert found <= expected if "alerts" in query else found == expected
    assert found or not expected


def test_words_of_an_older_wording_are_found_too(as_analyst: Client, analyst: User, incident: Incident) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "zebra")
    notes.edit_comment(Actor.of(analyst), note.pk, "horse")
    for word in ("zebra", "horse"):
        assert shown(as_analyst.get(f"/incidents/{incident.number}/?q={word}").content.decode()) == [note.pk]


def test_what_a_reader_may_not_know_of_is_not_found(as_stranger: Client, analyst: User, red: Team, blue: Team) -> None:
    shared = make_alert("Shared", source=make_source(team=None))
    theirs = make_incident("Their case", shared, team=blue)
    page = as_stranger.get(f"/alerts/{shared.number}/?q={theirs.number}").content.decode()
    assert shown(page) == []
    linked = TimelineEntry.objects.get(alert=shared, kind="alert.linked")
    assert linked.pk in shown(as_stranger.get(f"/alerts/{shared.number}/").content.decode())


@pytest.mark.parametrize("query", ["since=nonsense", "until=2026-13-01", "since=0001-01-01T00:00%2B14:00"])
def test_a_time_that_is_none_is_said_and_left_out(as_analyst: Client, incident: Incident, query: str) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/?{query}").content.decode()
    assert "A date and time" in page
    assert shown(page)


@pytest.mark.parametrize("odd", ["\x00", "'; DROP TABLE x; --", "%", "_", "x" * 5000, "<script>alert(1)</script>"])
def test_odd_words(as_analyst: Client, incident: Incident, odd: str) -> None:
    for name in ("q", "person", "group", "order", "since", "before", "entry"):
        answer = as_analyst.get(f"/incidents/{incident.number}/?{name}={quote(odd)}")
        assert answer.status_code == 200
        assert "<script>alert(1)" not in answer.content.decode()


def test_the_address_says_what_is_shown(as_analyst: Client, incident: Incident) -> None:
    answer = as_analyst.get(f"/incidents/{incident.number}/timeline/?group=notes&q=&person=mara&order=", headers=HTMX)
    assert answer["HX-Push-Url"] == f"/incidents/{incident.number}/?group=notes&person=mara"


@pytest.mark.parametrize("order", ["", "&order=event"])
def test_pages_go_on_within_filter_and_order(as_analyst: Client, analyst: User, incident: Incident, order: str) -> None:
    made = [entry.pk for entry in fill(incident, Actor.of(analyst), 120)]
    incidents.comment(Actor.of(analyst), incident.pk, "Not an event")
    found: list[int] = []
    url = f"/incidents/{incident.number}/?group=events{order}"
    for _page in range(3):
        page = as_analyst.get(url).content.decode()
        found += shown(page)
        url = page.partition('id="timeline-older"><a class="push" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert found == (made if order else made[::-1])
    assert url == ""


def test_a_link_to_an_entry_far_back_shows_it(as_analyst: Client, analyst: User, incident: Incident) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "Far back")
    fill(incident, Actor.of(analyst), 60)
    for query in (f"entry={note.pk}", f"entry={note.pk}&group=events&q=nothing"):
        page = as_analyst.get(f"/incidents/{incident.number}/?{query}").content.decode()
        assert f'<li id="entry-{note.pk}" class="aim">' in page
        assert shown(page)[0] == note.pk


def test_a_link_to_a_correction_or_a_moved_note_leads_to_the_note(
    as_analyst: Client, analyst: User, blue: Team
) -> None:
    actor, alert = Actor.of(analyst), make_alert(source=make_source(team=blue))
    note = alerts.comment(actor, alert.pk, "Frist")
    edit = notes.edit_comment(actor, note.pk, "First")
    page = as_analyst.get(f"/alerts/{alert.number}/?entry={edit.pk}").content.decode()
    assert f'<li id="entry-{note.pk}" class="aim">' in page
    incident = incidents.escalate(actor, alert.pk)
    moved = TimelineEntry.objects.get(incident=incident, kind="note.moved")
    page = as_analyst.get(f"/incidents/{incident.number}/?entry={note.pk}").content.decode()
    assert f'<li id="entry-{moved.pk}" class="aim">' in page


@pytest.mark.parametrize("wanted", ["999999999", "theirs"])
def test_a_link_to_an_entry_that_is_not_here_says_so(as_analyst: Client, incident: Incident, wanted: str) -> None:
    other = make_incident("Other")
    number = str(TimelineEntry.objects.get(incident=other).pk) if wanted == "theirs" else wanted
    page = as_analyst.get(f"/incidents/{incident.number}/?entry={number}").content.decode()
    assert "not in this timeline" in page
    assert shown(page)


def test_the_poll_keeps_to_the_filter(as_analyst: Client, responder: User, incident: Incident) -> None:
    url = f"/incidents/{incident.number}/"
    page = as_analyst.get(f"{url}?group=events").content.decode()
    live = page.partition('hx-get="/incidents/' + incident.number + "/live/")[2].partition('"')[0].replace("&amp;", "&")
    assert "group=events" in live
    incidents.comment(Actor.of(responder), incident.pk, "Not an event")
    answer = as_analyst.get(f"{url}live/{live}", headers=HTMX).content.decode()
    assert "Not an event" not in answer
    made = events.record_event(Actor.of(responder), incident.pk, "An event", occurred_at=START)
    answer = as_analyst.get(f"{url}live/{live}", headers=HTMX).content.decode()
    assert f'id="entry-{made.pk}"' in answer


def test_in_the_order_of_events_the_poll_puts_an_entry_in_its_place(
    as_analyst: Client, responder: User, incident: Incident
) -> None:
    url = f"/incidents/{incident.number}/"
    page = as_analyst.get(f"{url}?order=event").content.decode()
    live = page.partition('hx-get="/incidents/' + incident.number + "/live/")[2].partition('"')[0].replace("&amp;", "&")
    made = events.record_event(Actor.of(responder), incident.pk, "Long ago", occurred_at=START)
    answer = as_analyst.get(f"{url}live/{live}", headers=HTMX).content.decode()
    assert shown(answer)[-1] == made.pk
    assert len(shown(answer)) > 1


def test_an_alert_is_filtered_alike(as_analyst: Client, analyst: User, blue: Team) -> None:
    alert = make_alert(source=make_source(team=blue))
    note = alerts.comment(Actor.of(analyst), alert.pk, "Only this")
    alerts.claim(Actor.of(analyst), alert.pk)
    page = as_analyst.get(f"/alerts/{alert.number}/?q=only+this").content.decode()
    assert shown(page) == [note.pk]
    assert "Filter and order" in page


@pytest.mark.parametrize("query", ["", "?order=event", "?group=notes&q=event+1", "?entry={first}"])
def test_two_thousand_entries_are_few_queries_and_a_small_page(
    incident: Incident, analyst: User, django_assert_max_num_queries: DjangoAssertNumQueries, query: str
) -> None:
    many(incident, 2000)
    first = TimelineEntry.objects.filter(incident=incident, kind="comment").earliest("pk").pk
    client = client_of(analyst)
    client.get("/alerts/")
    with django_assert_max_num_queries(20):
        page = client.get(f"/incidents/{incident.number}/" + query.format(first=first))
    assert page.status_code == 200
    assert len(page.content) < 100_000
    if "entry" in query:
        assert f'<li id="entry-{first}" class="aim">' in page.content.decode()


def many(incident: Incident, number: int) -> None:
    """That many notes at once, as an import would leave them; not part of the chain that is verified."""
    actor = Actor.system()
    rows = [timeline.draft("comment", incident, actor, text=f"Event {n}") for n in range(number)]
    for row in rows:
        row.hash = b"\0" * 32
    TimelineEntry.objects.bulk_create(rows)
    Incident.objects.filter(pk=incident.pk).update(timeline_count=number)
