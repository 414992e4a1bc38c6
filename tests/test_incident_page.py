"""The page of an incident: what stands on it, who sees it, how many queries it takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cases import timeline
from cases.actions import alerts, incidents, links, observables
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.models import Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team, analyst: User) -> Incident:
    """An incident of team Blue with two alerts, an owner and a summary."""
    source = make_source(team=blue)
    first = make_alert("LSASS memory read", source=source, hostname="FIN-LT-0231", severity=4,
                       observables=(("ip", "203.0.113.77"), ("domain", "billing-example.com")))  # fmt: skip
    second = make_alert("Inbox rule", source=source, username="a.voss")
    return make_incident("Credential theft", first, second, owners=[analyst], summary="**Next:** isolate", team=blue)


def page(client: Client, incident: Incident, query: str = "") -> str:
    """The page's text."""
    answer = client.get(f"/incidents/{incident.number}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_shows_what_is_known(as_analyst: Client, incident: Incident) -> None:
    text = page(as_analyst, incident)
    for words in (incident.number, "Credential theft", "Critical", "Open", "<strong>Next:</strong>", "FIN-LT-0231",
                  "Inbox rule", "203[.]0[.]113[.]77", "billing-example[.]com", "Mara Lindqvist", "Blue"):  # fmt: skip
        assert words in text
    assert "https://billing-example.com" not in text


def test_the_number_may_come_without_its_letters(as_analyst: Client, incident: Incident) -> None:
    assert as_analyst.get(f"/incidents/{incident.pk}/").status_code == 200


@pytest.mark.parametrize("path", ["", "live/", "timeline/", "verify/", "search/", "more/"])
def test_a_stranger_sees_no_trace(as_stranger: Client, as_analyst: Client, incident: Incident, path: str) -> None:
    hidden = as_stranger.get(f"/incidents/{incident.number}/{path}")
    absent = as_stranger.get(f"/incidents/INC-999999/{path}")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert as_analyst.get(f"/incidents/{incident.number}/{path}").status_code in (200, 204, 302)


@pytest.mark.parametrize("number", ["ALR-1", "x", "INC-", "INC-9999999999999999999", "INC-1'--"])
def test_a_number_that_is_none(as_analyst: Client, number: str) -> None:
    assert as_analyst.get(f"/incidents/{number}/").status_code == 404


def test_a_viewer_reads_without_verbs(as_viewer: Client, incident: Incident) -> None:
    text = page(as_viewer, incident)
    assert "Credential theft" in text
    for words in ("incident-composer", "/status/", "/owners/", "Edit summary", "Link alerts", "Add an observable"):
        assert words not in text


def test_nobody_without_a_role(client: Client, nobody: User, incident: Incident) -> None:
    client.force_login(nobody, backend="soar.accounts.backend.Backend")
    assert client.get(f"/incidents/{incident.number}/").status_code in (403, 404)
    assert client.get("/incidents/").status_code == 403


def test_markup_in_every_field_stays_text(as_analyst: Client, analyst: User, blue: Team) -> None:
    evil = "<script>alert(1)</script>"
    alert = make_alert(evil, hostname=evil, source=make_source(evil, team=blue), tags=[evil])
    incident = make_incident(evil, alert, summary=f"{evil} [x](javascript:alert(1))", tags=[evil], owners=[analyst])
    incidents.comment(Actor.of(analyst), incident.pk, evil)
    observables.add_to_incident(Actor.of(analyst), incident.pk, "user", evil)
    text = page(as_analyst, incident)
    assert "<script>alert" not in text
    assert 'href="javascript:' not in text
    assert "&lt;script&gt;" in text


def test_few_queries_and_a_small_page(
    as_analyst: Client, incident: Incident, blue: Team, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    more = [make_alert(source=make_source(team=blue), observables=(("ip", f"198.51.100.{n}"),)) for n in range(12)]
    links.link(Actor.system(), [alert.pk for alert in more], incident.pk)
    page(as_analyst, incident)
    incidents.comment(Actor.of(User.objects.get(username="mara")), incident.pk, "A note")
    with django_assert_max_num_queries(20):
        text = page(as_analyst, incident)
    assert len(text) < 100_000


def test_the_poll_says_nothing_when_nothing_changed(as_analyst: Client, incident: Incident) -> None:
    cursor = cursor_in(page(as_analyst, incident))
    assert as_analyst.get(f"/incidents/{incident.number}/live/?cursor={cursor}", headers=HTMX).status_code == 204


def cursor_in(text: str) -> str:
    """The cursor that the page would poll with."""
    return text.partition("/live/?cursor=")[2].partition('"')[0]


def poll(client: Client, incident: Incident, cursor: str) -> str:
    """The answer to a poll with something new."""
    answer = client.get(f"/incidents/{incident.number}/live/?cursor={cursor}", headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_poll_brings_what_another_did(as_analyst: Client, incident: Incident, responder: User) -> None:
    cursor = cursor_in(page(as_analyst, incident))
    incidents.set_status(Actor.of(responder), incident.pk, "contained")
    incidents.comment(Actor.of(responder), incident.pk, "Host is isolated")
    text = poll(as_analyst, incident, cursor)
    assert 'id="incident-head" hx-swap-oob="morph"' in text
    assert "Contained" in text
    assert "Host is isolated" in text
    assert as_analyst.get(
        f"/incidents/{incident.number}/live/?cursor={cursor_in(text)}", headers=HTMX
    ).status_code == 204  # fmt: skip


def test_the_poll_brings_what_happened_to_an_alert(as_analyst: Client, incident: Incident, responder: User) -> None:
    cursor = cursor_in(page(as_analyst, incident))
    alert = incident.alerts.order_by("pk").first()
    assert alert is not None
    alerts.set_severity(Actor.of(responder), alert.pk, "low")
    text = poll(as_analyst, incident, cursor)
    assert 'id="incident-alerts" hx-swap-oob="morph"' in text
    assert 'id="entry-' in text


def draw_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_timelineentry_id_seq')")
        return int(cursor.fetchone()[0])


def next_id(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('cases_timelineentry_id_seq', %s, false)", [number])


def test_an_entry_that_is_committed_late_is_not_skipped(as_analyst: Client, incident: Incident, analyst: User) -> None:
    """An entry with a lower id than the newest one seen, of another subject: its transaction took longer."""
    alert = incident.alerts.order_by("pk").first()
    assert alert is not None
    late_id = draw_id()
    incidents.comment(Actor.of(analyst), incident.pk, "Seen by the page")
    cursor = cursor_in(page(as_analyst, incident))
    last = draw_id()
    next_id(late_id)
    alerts.set_severity(Actor.of(analyst), alert.pk, "low")
    next_id(last + 1)
    assert f'id="entry-{late_id}"' in poll(as_analyst, incident, cursor)


def test_a_linked_alert_brings_its_past(as_analyst: Client, incident: Incident, analyst: User, blue: Team) -> None:
    other = make_alert("Older alert", source=make_source(team=blue), age=timedelta(days=2))
    cursor = cursor_in(page(as_analyst, incident))
    links.link(Actor.of(analyst), [other.pk], incident.pk)
    text = poll(as_analyst, incident, cursor)
    assert 'id="incident-stream" class="stack" hx-swap-oob="true"' in text
    first = TimelineEntry.objects.filter(alert=other).order_by("pk").first()
    assert first is not None
    assert f'id="entry-{first.pk}"' in text


def test_older_entries_and_a_link_to_one(as_analyst: Client, incident: Incident, analyst: User) -> None:
    for number in range(60):
        incidents.comment(Actor.of(analyst), incident.pk, f"Note number {number}.")
    text = page(as_analyst, incident)
    assert "Note number 59." in text
    assert "Note number 5." not in text
    older = text.split("/timeline/?before=")[1].split('"')[0]
    answer = as_analyst.get(f"/incidents/{incident.number}/timeline/?before={older}", headers=HTMX).content.decode()
    assert "Note number 5." in answer
    assert 'id="timeline" hx-swap-oob="beforeend"' in answer
    entry = TimelineEntry.objects.get(text="Note number 5.")
    assert f'id="entry-{entry.pk}"' in page(as_analyst, incident, f"?entry={entry.pk}")


def test_only_notes(as_analyst: Client, incident: Incident, analyst: User) -> None:
    incidents.comment(Actor.of(analyst), incident.pk, "A note")
    everything = page(as_analyst, incident)
    notes = page(as_analyst, incident, "?group=notes")
    assert everything.count('id="entry-') > notes.count('id="entry-') == 1
    page(as_analyst, incident, "?group=wrong&before=x&entry=-1&do=nothing")


def test_the_chain_is_called_verified_only_when_it_was(as_analyst: Client, incident: Incident) -> None:
    assert "verified" not in page(as_analyst, incident)
    answer = as_analyst.get(f"/incidents/{incident.number}/verify/", headers=HTMX).content.decode()
    assert "chain verified" in answer
    assert "chain verified" in as_analyst.get(f"/incidents/{incident.number}/verify/").content.decode()


def test_a_tampered_chain_is_named(as_analyst: Client, incident: Incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(timeline_count=99, updated_at=timezone.now())
    answer = as_analyst.get(f"/incidents/{incident.number}/verify/", headers=HTMX).content.decode()
    assert "chain verified" not in answer
    assert "of 99 entries are missing" in answer


def test_an_ended_incident_says_that_a_repeat_reopened_its_alert(as_analyst: Client, incident: Incident) -> None:
    alert = incident.alerts.order_by("pk").first()
    assert alert is not None
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="malicious")
    before = page(as_analyst, incident)
    assert "of its alerts" not in before
    alerts.reopen(Actor.source("Wazuh", 1), alert.pk, reason="Seen again, 3 times in all")
    text = poll(as_analyst, incident, cursor_in(before))
    for shown in (text, page(as_analyst, incident)):
        assert "1 of its alerts is open" in shown
        assert f'/alerts/{alert.number}/">{alert.number}</a>' in shown
        assert "reopened the alert by a repeat" in shown
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.RESOLVED


def test_menus_offer_what_is_not_so_already(as_analyst: Client, incident: Incident) -> None:
    menu = page(as_analyst, incident).partition('id="menu-severity"')[2].partition("</details>")[0]
    assert 'value="high"' in menu
    assert 'value="critical"' not in menu
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="malicious")
    form = as_analyst.get(f"/incidents/{incident.number}/ending/", headers=HTMX).content.decode()
    assert 'value="closed" required checked' in form


def test_an_earlier_summary_can_be_read(as_analyst: Client, incident: Incident) -> None:
    incidents.update(Actor.system(), incident.pk, changes={"summary": "First <b>words</b>"})
    incidents.update(Actor.system(), incident.pk, changes={"summary": "**Second** words"})
    text = page(as_analyst, incident)
    assert text.count("Show both wordings") == 2
    assert "First &lt;b&gt;words&lt;/b&gt;" in text
    assert "<strong>Second</strong> words" in text


def test_findings_and_ends_of_runs_are_told_in_the_words_of_the_page(as_analyst: Client, incident: Incident) -> None:
    incidents.set_status(
        Actor.system(), incident.pk, "resolved", determination="benign", findings="benign_true_positive"
    )
    with transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        for status in ("successful", "partially_successful", "unsuccessful", "cancelled"):
            timeline.record("run.finished", locked, Actor.system(), data={"playbook": "Look up", "status": status})
    text = page(as_analyst, incident)
    assert "benign_true_positive" not in text.partition('id="timeline"')[2]
    assert "→ benign true positive" in text
    for words in (
        "finished successfully",
        "finished, but only a part succeeded",
        "finished unsuccessfully",
        "was cancelled",
    ):
        assert f"Look up {words}" in text
