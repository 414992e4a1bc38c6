"""Fields, summary and notes of an incident, by both doors."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.models import Incident
from soar.accounts.models import Team
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    """Of team Blue."""
    return make_incident("Case", team=blue, severity="high")


def test_all_details_at_once(as_analyst: Client, incident: Incident, red: Team) -> None:
    fields = {
        "title": " New title ",
        "team": "",
        "tlp": "red",
        "pap": "green",
        "tags": "VIP, finance , vip,",
    }
    assert as_analyst.post(f"/incidents/{incident.number}/edit/", fields).status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.team, incident.tlp, incident.pap) == ("New title", None, "red", "green")
    assert incident.tags == ["vip", "finance"]


def test_techniques_are_changed_in_their_own_box_alone(as_analyst: Client, incident: Incident) -> None:
    page = as_analyst.get(f"/incidents/{incident.number}/?opened=details").content.decode()
    assert 'name="tags"' in page and 'name="techniques"' not in page
    Incident.objects.filter(pk=incident.pk).update(techniques=["T1566.001"])
    fields = {"title": "New title", "techniques": "T1003"}
    assert as_analyst.post(f"/incidents/{incident.number}/edit/", fields).status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.techniques) == ("New title", ["T1566.001"])


def test_who_gives_it_to_another_team_is_led_to_the_list(as_analyst: Client, incident: Incident, red: Team) -> None:
    where = f"/incidents/{incident.number}/edit/"
    answer = as_analyst.post(where, {"team": "Red"}, headers=HTMX)
    assert answer["HX-Redirect"] == "/incidents/"
    assert f"{incident.number} saved" in as_analyst.get("/incidents/").content.decode()
    Incident.objects.filter(pk=incident.pk).update(team=None)
    assert as_analyst.post(where, {"team": "Red"}).headers["Location"] == "/incidents/"
    assert Incident.objects.get(pk=incident.pk).team == red


def test_the_same_again_writes_nothing(as_analyst: Client, incident: Incident) -> None:
    fields = {"title": "Case", "tlp": incident.tlp, "tags": ""}
    assert as_analyst.post(f"/incidents/{incident.number}/edit/", fields).status_code == 302
    assert not incident.timeline.filter(kind="changed").exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"title": "  "}, "Write something"),
        ({"title": "x" * 301}, "At most 300"),
        ({"tags": "x" * 101}, "At most 50 tags"),
        ({"tlp": "purple"}, "TLP"),
        ({"pap": "purple"}, "PAP is one of"),
        ({"team": "No such team"}, "There is no team"),
        ({"severity": "worse"}, "is not one of"),
    ],
)
def test_a_wrong_value_is_said_and_what_was_typed_stays(
    as_analyst: Client, incident: Incident, fields: dict[str, str], words: str
) -> None:
    sent = {"title": "Typed title", "tags": "typed-tag", **fields}
    htmx = as_analyst.post(f"/incidents/{incident.number}/edit/", sent, headers=HTMX)
    plain = as_analyst.post(f"/incidents/{incident.number}/edit/", sent)
    assert (htmx.status_code, plain.status_code) == (422, 400)
    for text in (htmx.content.decode(), plain.content.decode()):
        assert words in text
        if "tags" not in fields and "severity" not in fields:
            assert "typed-tag" in text
    incident.refresh_from_db()
    assert (incident.title, incident.tags) == ("Case", [])


def test_severity_in_the_head(as_analyst: Client, incident: Incident) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/edit/", {"severity": "critical"}, headers=HTMX)
    assert 'id="incident-head"' in answer.content.decode()
    assert "sev-critical" in answer.content.decode()


def test_summary_in_place(as_analyst: Client, incident: Incident) -> None:
    sent = {"summary": "**Bold** and <b>not</b>"}
    text = as_analyst.post(f"/incidents/{incident.number}/summary/", sent, headers=HTMX).content.decode()
    assert "<strong>Bold</strong>" in text
    assert "<b>not</b>" not in text
    assert as_analyst.post(f"/incidents/{incident.number}/summary/", {"summary": ""}).status_code == 302
    incident.refresh_from_db()
    assert incident.summary == ""


def test_a_summary_that_is_too_long_stays_in_its_box(as_analyst: Client, incident: Incident) -> None:
    sent = {"summary": "x" * 50_001}
    answer = as_analyst.post(f"/incidents/{incident.number}/summary/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert "At most 50000" in answer.content.decode()
    assert "x" * 50_001 in answer.content.decode()


@pytest.mark.parametrize("kind", ["comment", "handoff"])
def test_notes(as_analyst: Client, incident: Incident, kind: str) -> None:
    sent = {"text": "Ask **Priya**", "kind": kind}
    answer = as_analyst.post(f"/incidents/{incident.number}/comment/", sent, headers=HTMX)
    assert answer.status_code == 200
    assert "Ask" not in answer.content.decode()  # the box is empty again
    assert incident.timeline.get(kind=kind).text == "Ask **Priya**"
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "Ask <strong>Priya</strong>" in page


def test_a_note_that_cannot_be_keeps_its_words(as_analyst: Client, incident: Incident) -> None:
    sent = {"text": "My words", "kind": "shout"}
    answer = as_analyst.post(f"/incidents/{incident.number}/comment/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert "My words" in answer.content.decode()
    assert as_analyst.post(f"/incidents/{incident.number}/comment/", {"text": "  "}).status_code == 400


def test_a_note_is_corrected_and_its_first_wording_kept(as_analyst: Client, incident: Incident) -> None:
    as_analyst.post(f"/incidents/{incident.number}/comment/", {"text": "Frist wording", "kind": "comment"})
    note = incident.timeline.get(kind="comment")
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert f"/timeline/{note.pk}/edit/" in page
    as_analyst.post(f"/timeline/{note.pk}/edit/", {"text": "First wording"})
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "First wording" in page
    assert "Frist wording" in page
