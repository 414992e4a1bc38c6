"""Search over everything: each sort of text is found, by words in any order, by whoever may see it and nobody else."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from cases import search_words
from cases.actions import alerts, events, evidence, handovers, incidents, notes, observables, tasks
from cases.actions.custom_fields import create as create_field
from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.models import CustomField, Evidence, HandOver, Incident, IncidentTask, IncidentUserPermission, TimelineEntry
from cases.search_notes import saying
from cases.searching import ROUNDS, SHOWN, WINDOW, holding, search
from soar.accounts.models import AuditEntry, Team, User
from soar.lib import clock
from tests.factories import make_alert, make_asset, make_incident, make_user
from tests.pages.words import HOSTILE, MARK
from tests.queries import counted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
SYSTEM = Actor.system()


@pytest.fixture
def incident(blue: Team) -> Incident:
    """One that says something everywhere."""
    alert = make_alert("Beacon", team=blue)
    alerts.comment(SYSTEM, alert.pk, "The albatross flew at nine")
    made = make_incident("Ostrich in the mail", alert, team=blue)
    incidents.update(SYSTEM, made.pk, changes={"summary": "It began with a **pelican** on Monday."})
    incidents.comment(SYSTEM, made.pk, "Seen: the heron, twice")
    incidents.comment(SYSTEM, made.pk, "Left over: the stork", kind="handoff")
    events.record_event(SYSTEM, made.pk, "First sign of the ibis", occurred_at=clock.now())
    tasks.add(SYSTEM, made.pk, title="Ask the owner", description="about his toucan")
    evidence.add_bytes(SYSTEM, made.pk, "kingfisher.eml", b"x", description="with a puffin inside")
    create_field(SYSTEM, fields={"name": "Business unit", "kind": "text"})
    set_values(SYSTEM, made.pk, {CustomField.objects.get().key: "Cormorant Ltd"})
    incidents.update(SYSTEM, made.pk, changes={"tags": ["condor-tag", "other"], "techniques": ["T1566.001"]})
    observables.add_to_incident(SYSTEM, made.pk, "domain", "gannet.example.net")
    observables.add_to_incident(SYSTEM, made.pk, "ip", "203.0.113.77")
    return made


def restrict(incident: Incident, to: User) -> None:
    """Let one person alone see it."""
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    incident.alerts.update(restricted=True)
    level = Permission.objects.get(content_type__app_label="cases", codename="view_incident")
    IncidentUserPermission.objects.create(user=to, permission=level, content_object=incident)


def sorts(user: User, text: str) -> dict[str, list[str]]:
    """What is found, by sort: titles, of notes their words."""
    found = search(user, text)
    return {sort: [hit.title or hit.text for hit in hits] for sort, hits in found.hits.items() if hits}


@pytest.mark.parametrize(
    ("text", "sort"),
    [
        ("ostrich", "incident"), ("PELICAN", "incident"), ("cormorant", "incident"), ("heron", "note"),
        ("stork", "note"), ("ibis", "note"), ("albatross", "note"), ("toucan", "task"), ("Ask the own", "task"),
        ("condor", "incident"), ("T1566", "incident"), ("condor-tag t1566.001 ostrich", "incident"),
        ("gannet.exam", "observable"), ("GANNET[.]example[.]net", "observable"), ("203.0.113.77", "observable"),
        ("kingfisher", "evidence"), ("puffin", "evidence"), ("mail ostrich", "incident"), ('"heron, twice"', "note"),
    ],
)  # fmt: skip
def test_every_sort_of_text_is_found(incident: Incident, analyst: User, text: str, sort: str) -> None:
    assert list(sorts(analyst, text)) == [sort]


def test_an_incident_is_found_by_the_reason_of_its_end(incident: Incident, analyst: User) -> None:
    incidents.set_status(SYSTEM, incident.pk, "resolved", determination="benign", reason="It was a lapwing")
    assert "incident" in sorts(analyst, "lapwing")


def test_an_observable_of_an_incident_leads_to_it(incident: Incident, as_analyst: Client) -> None:
    page = as_analyst.get("/search/", {"q": "203.0.113.77"}).content.decode()
    assert f'href="/incidents/{incident.number}/#incident-observables"' in page
    assert "<mark>203.0.113.77</mark>" in page


def test_an_incident_is_not_found_by_the_name_of_a_field_that_it_has(incident: Incident, analyst: User) -> None:
    assert sorts(analyst, CustomField.objects.get().key) == {}


def test_hand_overs_and_assets_are_found(analyst: User, blue: Team) -> None:
    handovers.sign(analyst, "Watch the flamingo overnight", team=blue)
    make_asset("flamingo-42")
    assert set(sorts(analyst, "flamingo")) == {"hand-over", "asset"}


def test_all_words_must_be_there_as_they_stand_in_quotation_marks(incident: Incident, analyst: User) -> None:
    assert sorts(analyst, "heron stork") == {}
    assert sorts(analyst, '"twice heron"') == {}
    assert sorts(analyst, "twice heron")


@pytest.mark.parametrize(
    "text", ["heron", "ostrich", "toucan", "kingfisher", "pelican", "albatross", "cormorant", "gannet"]
)
def test_who_does_not_see_it_finds_nothing(incident: Incident, stranger: User, text: str) -> None:
    assert sorts(stranger, text) == {}


@pytest.mark.parametrize(
    "text", ["heron", "ostrich", "toucan", "kingfisher", "pelican", "albatross", "condor-tag", "gannet"]
)
def test_what_is_restricted_is_found_by_its_own_people_alone(
    incident: Incident, analyst: User, admin: User, text: str
) -> None:
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    incident.alerts.update(restricted=True)
    assert sorts(analyst, text) == {} and sorts(admin, text) == {}


@pytest.mark.parametrize(
    "text", ["heron", "ostrich", "toucan", "kingfisher", "pelican", "albatross", "cormorant", "gannet"]
)
def test_who_reads_of_what_is_restricted_is_in_the_audit_log(
    incident: Incident, as_analyst: Client, analyst: User, text: str
) -> None:
    incidents.comment(SYSTEM, make_incident("Open to all", team=incident.team).pk, "The nightingale sang")
    as_analyst.get("/search/", {"q": text})
    restrict(incident, analyst)
    looked = AuditEntry.objects.filter(verb="incident.restricted_viewed")
    as_analyst.get("/search/", {"q": "nightingale"})
    assert not looked.exists()
    for _ in range(2):
        as_analyst.get("/search/", {"q": text})
    assert [(one.actor_id, one.target) for one in looked] == [(analyst.pk, incident.number)]


def test_who_reads_a_note_of_a_restricted_alert_is_in_the_audit_log(
    incident: Incident, as_analyst: Client, analyst: User
) -> None:
    alert = make_alert("Another beacon", team=incident.team)
    alerts.comment(SYSTEM, alert.pk, "The nightingale sang")
    incident.alerts.add(alert)
    restrict(incident, analyst)
    assert "The <mark>nightingale</mark> sang" in as_analyst.get("/search/", {"q": "nightingale"}).content.decode()
    assert [one.target for one in AuditEntry.objects.filter(verb="incident.restricted_viewed")] == [incident.number]


def test_hand_overs_of_other_teams_are_not_found(analyst: User, blue: Team) -> None:
    other = make_user("other", "Analyst", teams=("Red",))
    handovers.sign(analyst, "Watch the flamingo overnight", team=blue)
    assert sorts(other, "flamingo") == {}


def test_a_note_is_found_by_its_newest_wording(incident: Incident, analyst: User) -> None:
    note = incidents.comment(Actor.of(analyst), incident.pk, "the first wording")
    notes.edit_comment(Actor.of(analyst), note.pk, "the second wording")
    assert sorts(analyst, "first wording") == {}
    assert sorts(analyst, "second wording") == {"note": ["the second wording"]}


def test_a_note_that_was_moved_to_the_incident_is_told_once(incident: Incident, analyst: User) -> None:
    [hit] = search(analyst, "albatross").hits["note"]
    assert hit.incident == incident.pk and TimelineEntry.objects.filter(text__contains="albatross").count() == 2


def test_a_note_behind_many_corrections_of_another_is_found(incident: Incident, analyst: User) -> None:
    incidents.comment(Actor.of(analyst), incident.pk, "an old swallow")
    often = incidents.comment(Actor.of(analyst), incident.pk, "a swallow")
    for number in range(WINDOW):
        notes.edit_comment(Actor.of(analyst), often.pk, f"a swallow {number}")
    assert sorts(analyst, "swallow") == {"note": [f"a swallow {WINDOW - 1}", "an old swallow"]}


def test_that_there_may_be_more_notes_is_said_where_corrections_go_on_and_on(incident: Incident, analyst: User) -> None:
    incidents.comment(Actor.of(analyst), incident.pk, "an old swallow")
    often = incidents.comment(Actor.of(analyst), incident.pk, "a swallow")
    for number in range(WINDOW * ROUNDS):
        notes.edit_comment(Actor.of(analyst), often.pk, f"a swallow {number}")
    assert search(analyst, "swallow").more == {"note"}


def test_evidence_that_was_removed_is_not_found(incident: Incident, analyst: User) -> None:
    piece = evidence.add_bytes(SYSTEM, incident.pk, "dodo.bin", b"dodo")
    assert set(sorts(analyst, "dodo")) == {"evidence"}
    evidence.remove(SYSTEM, piece.pk, reason="not ours")
    assert "evidence" not in sorts(analyst, "dodo")


def test_signs_of_patterns_are_letters_like_others(analyst: User, blue: Team) -> None:
    made = make_incident("Filled to 100%_of\\it", team=blue)
    make_incident("Filled to 100 of it", team=blue)
    for text in ("100%_", "%_of\\it", "of\\it"):
        assert sorts(analyst, text) == {"incident": [made.title]}, text


def test_values_of_custom_fields_are_found_as_they_were_written(incident: Incident, analyst: User) -> None:
    set_values(SYSTEM, incident.pk, {CustomField.objects.get().key: "In C:\\Temp\\new as 100%_of it"})
    for text in ("C:\\Temp", "temp\\NEW", "c:\\temp 100%_"):
        assert sorts(analyst, text) == {"incident": [incident.title]}, text
    assert sorts(analyst, "C:\\Temp\\old") == {}
    (hit,) = search(analyst, "C:\\Temp").hits["incident"]
    assert hit.text.endswith("\nIn C:\\Temp\\new as 100%_of it")
    set_values(SYSTEM, incident.pk, {CustomField.objects.get().key: None})
    (hit,) = search(analyst, incident.title).hits["incident"]
    assert "[]" not in hit.text


def test_numbers_are_found_as_they_are_written(incident: Incident, analyst: User, stranger: User) -> None:
    for text in (incident.number, incident.number.lower()):
        assert sorts(analyst, text)["numbers"] == [incident.title]
    assert incident.title in sorts(analyst, str(incident.pk))["numbers"]
    assert "numbers" not in sorts(stranger, incident.number)


@pytest.mark.parametrize("text", ["", "  ", "ab", "INC-", "INC-99999999999999999999", "ALR-x", '"', '""', "\x00", "-"])
def test_odd_texts_find_nothing_and_break_nothing(as_analyst: Client, text: str) -> None:
    answer = as_analyst.get("/search/", {"q": text})
    assert answer.status_code == 200 and "By number" not in answer.content.decode()


def test_short_words_are_told(as_analyst: Client, incident: Incident) -> None:
    assert "are not looked for: of" in as_analyst.get("/search/", {"q": "of ostrich"}).content.decode()


@pytest.mark.parametrize("text", ["---", "==>", "...", "___", "-a", "a--"])
def test_signs_alone_are_not_looked_for(incident: Incident, analyst: User, text: str) -> None:
    make_incident(f"Signs {text} of it", team=incident.team)
    incidents.comment(SYSTEM, incident.pk, f"Said: {text}")
    found = search(analyst, text)
    assert not found.words and found.short == [text] and not any(found.hits.values())


@pytest.mark.parametrize("text", ["10.0.0.5", "a-b", "-a-", "日本語", "T1059"])
def test_words_of_few_letters_beside_signs_are_looked_for(incident: Incident, analyst: User, text: str) -> None:
    incidents.comment(SYSTEM, incident.pk, f"Said: {text}")
    assert sorts(analyst, text) == {"note": [f"Said: {text}"]}


def test_more_than_are_listed_is_said(analyst: User, as_analyst: Client, blue: Team) -> None:
    for number in range(SHOWN + 1):
        make_incident(f"Swan {number}", team=blue)
    found = search(analyst, "swan")
    assert len(found.hits["incident"]) == SHOWN and found.more == {"incident"}
    assert "There are more: add a word." in as_analyst.get("/search/", {"q": "swan"}).content.decode()


def test_more_alerts_and_assets_are_in_their_lists(as_analyst: Client, blue: Team) -> None:
    for number in range(SHOWN + 1):
        closed = make_alert(f"Swan {number} -enc", team=blue)
        alerts.resolve(SYSTEM, closed.pk, determination="malicious")
        make_asset(f"swan-enc-{number}")
    page = as_analyst.get("/search/", {"q": "swan -enc"}).content.decode()
    lists = [html.unescape(one) for one in re.findall(r'<footer><a href="([^"]*)"', page)]
    assert [one.partition("?")[0] for one in lists] == ["/alerts/", "/assets/"]
    for address in lists:
        listed = as_analyst.get(address).content.decode()
        assert all(f"wan {number} -enc" in listed or f"wan-enc-{number}" in listed for number in range(SHOWN + 1))


def test_the_page_marks_what_was_found_and_leads_there(as_analyst: Client, incident: Incident) -> None:
    page = as_analyst.get("/search/", {"q": "heron"}).content.decode()
    note = TimelineEntry.objects.get(text__contains="heron")
    assert "<mark>heron</mark>" in page
    assert f"/incidents/{incident.number}/?entry={note.pk}#entry-{note.pk}" in page


def test_alerts_are_found_by_the_filter_of_the_queue(as_analyst: Client, blue: Team) -> None:
    alert = make_alert("Odd sign-in", team=blue, hostname="penguin-7")
    assert f"/alerts/{alert.number}/" in as_analyst.get("/search/", {"q": "penguin"}).content.decode()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("powershell -enc", ["Powershell -enc"]), ("severity:bogus", []), ("status:resolved powershell", []),
        ('"powershell -enc"', ["Powershell -enc"]), ("x:y", ["Has x:y"]),
    ],
)  # fmt: skip
def test_alerts_hold_the_words_as_they_stand(as_analyst: Client, blue: Team, text: str, found: list[str]) -> None:
    numbers = {make_alert(title, team=blue).number: title for title in ("Powershell -enc", "Powershell", "Has x:y")}
    page = as_analyst.get("/search/", {"q": text}).content.decode()
    assert [title for number, title in numbers.items() if f"/alerts/{number}/" in page] == found


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_texts(as_analyst: Client, blue: Team, text: str) -> None:
    made = make_incident("Plain", team=blue)
    incidents.comment(SYSTEM, made.pk, f"magpie {text}")
    for query in ("magpie", f"magpie {text}"):
        page = as_analyst.get("/search/", {"q": query}).content.decode()
        assert f" {MARK}>" not in page.replace(f" {MARK}&gt;", ""), query


def test_who_is_not_signed_in_is_sent_to_sign_in(client: Client) -> None:
    assert client.get("/search/", {"q": "heron"})["Location"].startswith("/accounts/login/")


def test_it_takes_few_queries(as_analyst: Client, incident: Incident) -> None:
    as_analyst.get("/search/", {"q": "heron"})
    with counted("search"):
        as_analyst.get("/search/", {"q": "heron"})


@pytest.mark.parametrize(
    ("rows", "words", "name"),
    [
        (Incident.objects, search_words.INCIDENT, "incident_said"),
        (IncidentTask.objects, search_words.TASK, "task_words"),
        (Evidence.objects, search_words.EVIDENCE, "evidence_words"),
        (HandOver.objects, search_words.HAND_OVER, "handover_words"),
    ],
)  # fmt: skip
def test_the_indexes_hold_what_is_asked_for(rows: Any, words: Any, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert name in holding(rows.order_by(), words, ["heron"]).explain()


def test_rare_words_of_notes_are_looked_for_in_their_index() -> None:
    with connection.cursor() as cursor:
        # Of a table without rows the planner may read any index: the other ways are taken from it.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off; DROP INDEX timeline_written")
    assert "timeline_words" in saying(["heron"]).explain()


@pytest.mark.parametrize("more", [0, 6, 200])
def test_a_word_is_found_be_it_rare_or_common(analyst: User, incident: Incident, more: int) -> None:
    for number in range(more):
        incidents.comment(SYSTEM, incident.pk, f"Crow 100% {number}" if more == 6 else "nothing of the sort")
    incidents.comment(SYSTEM, incident.pk, "The CROW was 100%_there\\once")
    for word in ("crow", "100%_", "there\\o"):
        assert "The CROW was 100%_there\\once" in sorts(analyst, word)["note"], word
