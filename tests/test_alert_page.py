"""The page of an alert: what it shows, to whom, and that nothing of a sender's text is run."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import alerts, links
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.ingest.pipeline import receive, rules_of
from cases.models import Alert, Observable
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = '<script>alert(1)</script><img src=x onerror="x()">'


@pytest.fixture
def alert(blue: Team) -> Alert:
    """An alert of team Blue with everything on it."""
    return make_alert(
        "Beacon to a rented server", source=make_source("Sensors", team=blue), severity=Severity.HIGH,
        description="It called out\nevery minute.", hostname="LT-0114", username="l.brandt", source_ip="203.0.113.7",
        detection_model="C2 beacon", tags=["c2"], techniques=["T1071"], count=3, source_ref="REF-9",
        observables=(("ip", "203.0.113.7"), ("url", "http://bad.example.net/x"), ("file_name", "a.dll")),
        entities=[{"type": "process", "name": "rundll32.exe", "command_line": "rundll32 a.dll,Start",
            "observables": [["ip", "203.0.113.77"], ["user", "a.voss"]]}],
        repairs=["title was cut at 500 characters"], raw='{"a": {"b": 1}}',
    )  # fmt: skip


def page_of(client: Client, alert: Alert, **query: str) -> str:
    answer = client.get(f"/alerts/{alert.number}/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_shows_what_the_source_told(as_analyst: Client, alert: Alert) -> None:
    page = page_of(as_analyst, alert)
    for text in (
        "Beacon to a rented server", "It called out<br>every minute.", "LT-0114", "l.brandt", "203[.]0[.]113[.]7",
        "C2 beacon", "T1071", ">c2<", "REF-9", "rundll32 a.dll,Start", "hxxp://bad[.]example[.]net/x", ">a.dll<",
        "title was cut at 500 characters", "TLP:AMBER", "opened the alert", ">ip 203.0.113.77, user a.voss<",
    ):  # fmt: skip
        assert text in page, text
    assert "http://bad.example.net/x" not in page.replace('data-copy="http://bad.example.net/x"', "")


def test_a_stranger_gets_404_and_reads_nothing(as_stranger: Client, alert: Alert) -> None:
    for path in ("", "live/", "raw/", "timeline/", "panel/", "similar/", "find-incident/?q=1", "ask/resolve/"):
        answer = as_stranger.get(f"/alerts/{alert.number}/{path}")
        assert answer.status_code == 404, path
        assert "Beacon" not in answer.content.decode()


@pytest.mark.parametrize("number", ["ALR-999999", "INC-1", "x", "ALR-", "99999999999999999999", "ALR-1%00"])
def test_what_is_not_there_is_404(as_analyst: Client, number: str) -> None:
    assert as_analyst.get(f"/alerts/{number}/").status_code == 404


def test_somebody_without_a_role_gets_403(nobody: User, alert: Alert) -> None:
    assert client_of(nobody).get(f"/alerts/{alert.number}/").status_code == 403


def test_a_viewer_reads_and_gets_no_verbs(as_viewer: Client, alert: Alert) -> None:
    page = page_of(as_viewer, alert)
    assert "You may read this alert, not change it." in page
    assert "/claim/" not in page
    assert 'name="text"' not in page
    assert as_viewer.get(f"/alerts/{alert.number}/ask/resolve/").status_code == 403


def test_nothing_of_a_sender_is_run(as_analyst: Client, blue: Team) -> None:
    alert = make_alert(
        EVIL, source=make_source(f"S {EVIL}"[:90]), description=EVIL, hostname=EVIL, username=EVIL,
        detection_model=EVIL, tags=[EVIL.lower()], techniques=["<b>"], source_ref=EVIL, source_state=EVIL,
        dedup_key=EVIL, repairs=[EVIL],
        entities=[{"type": EVIL, "name": EVIL, EVIL: EVIL, "list": [EVIL]}], raw=json.dumps({"x": EVIL}),
        observables=(("user", EVIL), ("url", "http://x.example.net/?a=<script>alert(1)</script>")),
    )  # fmt: skip
    make_alert(f"Other {EVIL}", hostname=EVIL)
    analyst = make_user()
    alerts.comment(Actor.of(analyst), alert.pk, f"Note {EVIL} [x](javascript:alert(1))")
    for path in ("", "raw/", "panel/", "ask/resolve/", "ask/tags/", "ask/escalate/"):
        for headers in ({}, HTMX):
            text = as_analyst.get(f"/alerts/{alert.number}/{path}", headers=headers).content.decode()
            assert "<script>alert" not in text, path
            assert "<img" not in text, path
            assert 'href="javascript' not in text, path


def test_objects_have_risk_evidence_and_sightings(as_analyst: Client, alert: Alert) -> None:
    make_alert("Second", observables=(("ip", "203.0.113.7"),))
    rating = {"evidence": [{"text": "On the list of rented servers"}]}
    Observable.objects.filter(value="203.0.113.7").update(risk=2, rating=rating)
    page = page_of(as_analyst, alert)
    assert "Highly suspicious" in page
    assert "On the list of rented servers" in page
    assert "2 alerts" in page


def test_sightings_count_only_what_the_reader_sees(as_analyst: Client, alert: Alert, red: Team) -> None:
    make_alert("Not for Blue", source=make_source(team=red), observables=(("ip", "203.0.113.7"),))
    page = page_of(as_analyst, alert)
    assert "2 alerts" not in page
    assert "Not for Blue" not in page


def test_similar_alerts_say_why(as_analyst: Client, alert: Alert) -> None:
    make_alert("Same host", hostname="LT-0114")
    make_alert("Nothing in common")
    page = page_of(as_analyst, alert)
    assert "Same host" in page
    assert "same host" in page
    assert "Nothing in common" not in page


def test_the_likely_incident_and_its_reasons(as_analyst: Client, alert: Alert, blue: Team) -> None:
    other = make_alert("First", hostname="LT-0114", source=make_source(team=blue))
    incident = make_incident("Rented servers", other, team=blue)
    page = page_of(as_analyst, alert)
    assert f"Add to {incident.number}" in page
    assert "Shares LT-0114 with 1 alert" in page


def test_a_hidden_incident_is_neither_suggested_nor_named(
    as_analyst: Client, alert: Alert, red: Team, admin: User
) -> None:
    hidden = make_incident(
        "Secret case", make_alert("Theirs", hostname="LT-0114", source=make_source(team=red)), team=red
    )
    assert hidden.number not in page_of(as_analyst, alert)
    shared = make_alert("In a secret case", source=make_source())
    links.link(Actor.of(admin), [shared.pk], hidden.pk)
    shared.refresh_from_db()
    page = page_of(as_analyst, shared)
    assert hidden.number not in page
    assert "Secret case" not in page
    assert "not for you to see" in page


def test_the_poll_is_silent_until_something_changes(as_analyst: Client, alert: Alert, responder: User) -> None:
    page = page_of(as_analyst, alert)
    url = page.partition('id="alert-live" hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert as_analyst.get(url, headers=HTMX).status_code == 204
    alerts.claim(Actor.of(responder), alert.pk)
    answer = as_analyst.get(url, headers=HTMX).content.decode()
    assert "Priya Raman" in answer
    assert 'id="alert-head" hx-swap-oob="morph"' in answer
    assert "claimed it" in answer
    url = answer.partition('id="alert-live" hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    assert as_analyst.get(url, headers=HTMX).status_code == 204


def test_the_poll_of_one_kind_brings_only_that_kind(as_analyst: Client, alert: Alert, responder: User) -> None:
    alerts.claim(Actor.of(responder), alert.pk)
    answer = as_analyst.get(f"/alerts/{alert.number}/live/?cursor=1.1.1&group=notes", headers=HTMX).content.decode()
    assert "claimed it" not in answer
    assert "&amp;group=notes" in answer


def test_older_entries_are_paged(as_analyst: Client, alert: Alert, analyst: User) -> None:
    for number in range(60):
        alerts.comment(Actor.of(analyst), alert.pk, f"Note number {number:03}")
    page = page_of(as_analyst, alert)
    assert "Note number 059" in page
    assert "Note number 005" not in page
    url = page.partition('id="timeline-older"><a href="')[2].partition('"')[0].replace("&amp;", "&").partition("#")[0]
    older = as_analyst.get(url).content.decode()
    assert "Note number 005" in older
    assert "Note number 059" not in older
    assert "To the newest entries" in older


def test_the_kinds_of_the_timeline(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.comment(Actor.of(analyst), alert.pk, "Only a note")
    alerts.set_severity(Actor.of(analyst), alert.pk, "low")
    notes, changes = page_of(as_analyst, alert, group="notes"), page_of(as_analyst, alert, group="changes")
    assert "Only a note" in notes
    assert "set severity" not in notes
    assert "set severity" in changes
    assert "Only a note" not in changes
    assert "Only a note" in page_of(as_analyst, alert, group="nonsense")


def test_the_raw_payload_is_escaped_and_indented(as_analyst: Client, alert: Alert) -> None:
    page = as_analyst.get(f"/alerts/{alert.number}/raw/").content.decode()
    assert "&quot;a&quot;: {\n    &quot;b&quot;: 1" in page
    assert as_analyst.get(f"/alerts/{alert.number}/raw/?which=latest").status_code == 200


@pytest.mark.parametrize("body", ["not json <b>", "[" * 5000, "", '{"a": 1'])
def test_a_payload_that_is_no_json_is_shown_as_it_is(as_analyst: Client, body: str) -> None:
    alert = make_alert(raw=body)
    page = as_analyst.get(f"/alerts/{alert.number}/raw/")
    assert page.status_code == 200
    assert "<b>" not in page.content.decode().partition('id="payload"')[2]


def test_the_latest_payload_of_a_repeat(as_analyst: Client, alert: Alert) -> None:
    payload = alert.payload
    payload.latest_body, payload.latest_at = '{"second": true}', timezone.now() - timedelta(minutes=1)
    payload.save()
    page = as_analyst.get(f"/alerts/{alert.number}/raw/?which=latest").content.decode()
    assert "&quot;second&quot;: true" in page


def test_the_panel_is_the_alert_beside_the_queue(as_analyst: Client, alert: Alert) -> None:
    panel = as_analyst.get(f"/alerts/{alert.number}/panel/", headers=HTMX).content.decode()
    assert panel.lstrip().startswith('<aside class="peek" id="panel"')
    assert "It called out" in panel
    assert "<!doctype" in as_analyst.get(f"/alerts/{alert.number}/panel/").content.decode()


def test_a_resolved_alert_says_so(as_analyst: Client, alert: Alert, analyst: User) -> None:
    alerts.resolve(Actor.of(analyst), alert.pk, determination="benign", reason="A test of ours")
    alert.refresh_from_db()
    assert (alert.status, alert.determination) == (AlertStatus.RESOLVED, Determination.BENIGN)
    page = page_of(as_analyst, alert)
    assert "A test of ours" in page
    assert "False positive" in page
    assert "ask/reopen/" in page


def test_the_number_of_queries(as_analyst: Client, alert: Alert, blue: Team) -> None:
    make_incident("Rented servers", make_alert("First", hostname="LT-0114", source=make_source(team=blue)), team=blue)
    for number in range(10):
        make_alert(f"Same {number}", hostname="LT-0114", observables=(("ip", "203.0.113.7"),))
    page_of(as_analyst, alert)
    with counted("alert"):
        page = page_of(as_analyst, alert)
    assert len(page) < 100_000


def test_a_host_that_the_source_only_names_is_called_a_host(as_analyst: Client, blue: Team) -> None:
    body = json.dumps({"title": "Odd login", "hostname": "FIN-LT-0114", "username": "a.voss"}).encode()
    source = make_source(team=blue)
    number = f"ALR-{receive(rules_of(source), body, 'application/json')[0][0].id}"
    page = as_analyst.get(f"/alerts/{number}/").content.decode()
    entities = page.partition('id="s-entities"')[2].partition("</table>")[0]
    assert '<span class="sub">host</span>' in entities
    assert "#laptop" in entities
    assert ">entity<" not in entities
