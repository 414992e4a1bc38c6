"""What somebody typed is not lost because an incident was merged, or an alert linked, meanwhile (interface.md 3)."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import incidents, merge, tasks
from cases.actors import Actor
from cases.models import Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
WORDS = "An hour of work on the zebrafish"
BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])


@pytest.fixture
def pair() -> tuple[Incident, Incident]:
    """An incident that is to be merged, and the one that stays."""
    return make_incident("Goes", make_alert()), make_incident("Stays", make_alert())


def merged(pair: tuple[Incident, Incident]) -> None:
    merge.merge(Actor.system(), pair[1].pk, [pair[0].pk])


@BOTH
@pytest.mark.parametrize(
    ("verb", "typed"),
    [
        ("comment", {"text": WORDS, "kind": "handoff"}),
        ("summary", {"summary": WORDS}),
        ("edit", {"title": WORDS}),
        ("tasks/add", {"title": "Ask", "description": WORDS}),
        ("status", {"status": "resolved", "determination": "benign", "reason": WORDS, "ending": "1"}),
    ],
)
def test_words_for_a_merged_incident_come_back_as_a_note_of_the_one_that_remains(
    as_analyst: Client, pair: tuple[Incident, Incident], verb: str, typed: dict[str, str], headers: dict[str, str]
) -> None:
    goes, stays = pair
    merged(pair)
    answer = as_analyst.post(f"/incidents/{goes.number}/{verb}/", typed, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert f"{goes.number} was merged into {stays.number}" in page.replace(f'href="/incidents/{stays.number}/"', "")
    form = page[page.index(f'action="/incidents/{stays.number}/comment/"') :]
    assert WORDS in form.split("</textarea>")[0]
    assert ('value="handoff"' in form) == (verb == "comment")
    assert ("<html" in page) == (not headers)
    if headers:
        assert answer["HX-Retarget"] == "#dialog"
    assert not TimelineEntry.objects.filter(text__contains=WORDS).exists()


def test_sent_from_there_they_are_a_note(as_analyst: Client, pair: tuple[Incident, Incident]) -> None:
    merged(pair)
    as_analyst.post(f"/incidents/{pair[1].number}/comment/", {"text": WORDS, "kind": "comment"})
    assert TimelineEntry.objects.get(text=WORDS).incident_id == pair[1].pk


@BOTH
def test_a_correction_of_a_note_that_went_along(
    as_analyst: Client, analyst: User, pair: tuple[Incident, Incident], headers: dict[str, str]
) -> None:
    note = incidents.comment(Actor.of(analyst), pair[0].pk, "First")
    merged(pair)
    answer = as_analyst.post(f"/timeline/{note.pk}/edit/", {"text": WORDS}, headers=headers)
    assert answer.status_code == 409 and WORDS in answer.content.decode()
    assert f'action="/incidents/{pair[1].number}/comment/"' in answer.content.decode()


@BOTH
def test_an_event_keeps_its_time(as_analyst: Client, pair: tuple[Incident, Incident], headers: dict[str, str]) -> None:
    merged(pair)
    typed = {"text": WORDS, "occurred_at": "2026-01-01T10:00"}
    answer = as_analyst.post(f"/incidents/{pair[0].number}/event/", typed, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 409 and WORDS in page and 'value="2026-01-01T10:00"' in page
    assert f'action="/incidents/{pair[1].number}/event/"' in page
    assert "hx-post" not in page[page.index("/event/") :].split(">")[0]  # it leads away from the page of the husk
    assert as_analyst.post(f"/incidents/{pair[1].number}/event/", typed).status_code == 302


@BOTH
def test_a_note_for_an_alert_that_has_an_incident_by_now(as_analyst: Client, headers: dict[str, str]) -> None:
    alert = make_alert()
    incident = make_incident("Case", alert)
    answer = as_analyst.post(f"/alerts/{alert.number}/comment/", {"text": WORDS}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 409 and f'action="/incidents/{incident.number}/comment/"' in page
    assert WORDS in page


@BOTH
def test_where_the_reader_may_not_go_the_words_are_there_to_be_copied(
    as_analyst: Client, blue: Team, red: Team, headers: dict[str, str]
) -> None:
    alert = make_alert(source=make_source(team=blue))
    incident = make_incident("Theirs", alert, team=red)
    answer = as_analyst.post(f"/alerts/{alert.number}/comment/", {"text": WORDS}, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 409 and "readonly>" + WORDS in page
    assert incident.number not in page and "/comment/" not in page


@BOTH
def test_a_task_that_went_along_is_saved_where_it_is(
    as_analyst: Client, pair: tuple[Incident, Incident], headers: dict[str, str]
) -> None:
    task = tasks.add(Actor.system(), pair[0].pk, title="Ask")
    merged(pair)
    typed = {"title": "Ask", "description": WORDS}
    answer = as_analyst.post(f"/incidents/{pair[0].number}/tasks/{task.pk}/", typed, headers=headers)
    to = answer["HX-Redirect"] if headers else answer["Location"]
    assert to == f"/incidents/{pair[1].number}/#incident-tasks"
    task.refresh_from_db()
    assert task.description == WORDS


def test_without_words_the_page_says_why(as_analyst: Client, pair: tuple[Incident, Incident]) -> None:
    merged(pair)
    answer = as_analyst.post(f"/incidents/{pair[0].number}/owners/", {"add": "mara"})
    assert answer.status_code == 409 and "Work on that one" in answer.content.decode()
    assert "typed-text" not in answer.content.decode()
