"""Notes on alerts: written, refused where an incident has them, corrected by their writer."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts, incidents
from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", source=make_source(team=blue))


@pytest.fixture
def note(alert: Alert, analyst: User) -> TimelineEntry:
    return alerts.comment(Actor.of(analyst), alert.pk, "First wording")


def test_a_note_stands_in_the_timeline(as_analyst: Client, alert: Alert) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/comment/", {"text": f"**Bold** {EVIL}"}, headers=HTMX)
    assert "Bold" not in answer.content.decode()  # the box is empty again; the entry comes with the poll
    page = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert "<strong>Bold</strong>" in page
    assert EVIL not in page


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("text", ["", "  \n", "x" * 50_001])
def test_no_note_is_no_note(as_analyst: Client, alert: Alert, text: str, headers: dict[str, str]) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/comment/", {"text": text}, headers=headers)
    assert answer.status_code == 422
    assert "note-error" in answer.content.decode()
    assert not TimelineEntry.objects.filter(kind="comment").exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_note_on_an_alert_of_an_incident_is_refused_with_the_link(
    as_analyst: Client, alert: Alert, headers: dict[str, str]
) -> None:
    incident = make_incident("Case", alert)
    assert 'name="text"' not in as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    answer = as_analyst.post(f"/alerts/{alert.number}/comment/", {"text": "Late"}, headers=headers)
    assert answer.status_code == 409
    assert f'href="/incidents/{incident.number}/"' in answer.content.decode()
    assert not TimelineEntry.objects.filter(kind="comment").exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_correcting_keeps_the_earlier_wording(
    as_analyst: Client, alert: Alert, note: TimelineEntry, headers: dict[str, str]
) -> None:
    form = as_analyst.get(f"/timeline/{note.pk}/edit/", headers=headers).content.decode()
    assert ">First wording</textarea>" in form
    answer = as_analyst.post(f"/timeline/{note.pk}/edit/", {"text": "Second wording"}, headers=headers)
    page = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert page.index("Second wording") < page.index("1 earlier wording") < page.index("First wording")
    if headers:
        assert f'<li id="entry-{note.pk}">' in answer.content.decode()
        assert answer["HX-Retarget"] == f"#entry-{note.pk}"
    else:
        assert answer["Location"] == f"/alerts/{alert.number}/#entry-{note.pk}"


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("text", ["", "First wording"])
def test_a_correction_that_is_none(as_analyst: Client, note: TimelineEntry, text: str, headers: dict[str, str]) -> None:
    answer = as_analyst.post(f"/timeline/{note.pk}/edit/", {"text": text}, headers=headers)
    assert answer.status_code == 422
    assert "entry-text-error" in answer.content.decode()
    assert not TimelineEntry.objects.filter(kind="comment.edited").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_corrects_the_note_of_another(
    as_viewer: Client, as_admin: Client, as_stranger: Client, note: TimelineEntry, method: str
) -> None:
    for client, status in ((as_viewer, 403), (as_admin, 403), (as_stranger, 404)):
        answer = getattr(client, method)(f"/timeline/{note.pk}/edit/", {"text": "Mine now"})
        assert answer.status_code == status
        assert status == 403 or "First wording" not in answer.content.decode()
    assert not TimelineEntry.objects.filter(kind="comment.edited").exists()


@pytest.mark.parametrize("pk", [0, 10**6, 10**30])
def test_what_is_no_note_is_404(as_analyst: Client, pk: int) -> None:
    assert as_analyst.get(f"/timeline/{pk}/edit/").status_code == 404


def test_only_notes_are_corrected(as_analyst: Client, alert: Alert) -> None:
    opened = TimelineEntry.objects.get(alert=alert)
    assert as_analyst.get(f"/timeline/{opened.pk}/edit/").status_code == 404


def test_a_note_of_an_incident_is_corrected_the_same_way(as_analyst: Client, analyst: User) -> None:
    incident = make_incident("Case")
    entry = incidents.comment(Actor.of(analyst), incident.pk, "Night shift", kind="handoff")
    answer = as_analyst.post(f"/timeline/{entry.pk}/edit/", {"text": "Late shift"})
    assert answer["Location"] == f"/incidents/{incident.number}/#entry-{entry.pk}"
    assert "Late shift" in as_analyst.get(f"/incidents/{incident.number}/").content.decode()


def test_a_corrected_note_can_be_corrected_again_at_once(as_analyst: Client, analyst: User) -> None:
    incident = make_incident("Case")
    entry = incidents.comment(Actor.of(analyst), incident.pk, "Night shift")
    answer = as_analyst.post(f"/timeline/{entry.pk}/edit/", {"text": "Late shift"}, headers={"HX-Request": "true"})
    assert f'href="/timeline/{entry.pk}/edit/"' in answer.content.decode()
