"""What every verb of an incident has in common: who may, which method, nothing half saved; by both doors."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import incidents
from cases.actions.seen import seen_of
from cases.actors import Actor
from cases.choices import Determination
from cases.models import Incident, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
VERBS = {
    "status": {"status": "contained"},
    "edit": {"severity": "low"},
    "summary": {"summary": "New words"},
    "owners": {"add": "priya"},
    "comment": {"text": "A note"},
    "link": {"alerts": "ALR-1"},
    "unlink": {"alerts": "ALR-1"},
    "observables/add": {"type": "ip", "value": "203.0.113.9"},
    "observables/remove": {"observable": "1"},
}


@pytest.fixture
def incident(blue: Team, responder: User) -> Incident:
    """An incident of team Blue with an alert."""
    return make_incident("Credential theft", make_alert(source=make_source(team=blue)), team=blue, severity="high")


def fields_of(verb: str, incident: Incident) -> dict[str, str]:
    """The fields of the verb, with the number of the incident's alert."""
    alert = incident.alerts.get()
    return {name: value.replace("ALR-1", alert.number) for name, value in VERBS[verb].items()}


def state_of(incident: Incident) -> tuple[object, ...]:
    """What must not have changed."""
    row = Incident.objects.filter(pk=incident.pk).values_list().get()
    return (*row, TimelineEntry.objects.count(), *incident.owner_rows.values_list("user_id", "lead"))


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_gets_404_and_changes_nothing(
    as_stranger: Client, incident: Incident, verb: str, headers: dict[str, str]
) -> None:
    before = state_of(incident)
    answer = as_stranger.post(f"/incidents/{incident.number}/{verb}/", fields_of(verb, incident), headers=headers)
    assert answer.status_code == 404
    assert "Credential theft" not in answer.content.decode()
    assert state_of(incident) == before


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_gets_403_and_changes_nothing(
    as_viewer: Client, incident: Incident, verb: str, headers: dict[str, str]
) -> None:
    before = state_of(incident)
    answer = as_viewer.post(f"/incidents/{incident.number}/{verb}/", fields_of(verb, incident), headers=headers)
    assert answer.status_code == 403
    assert state_of(incident) == before


@pytest.mark.parametrize("verb", VERBS)
def test_only_post(as_analyst: Client, incident: Incident, verb: str) -> None:
    before = state_of(incident)
    assert as_analyst.get(f"/incidents/{incident.number}/{verb}/").status_code == 405
    assert as_analyst.put(f"/incidents/{incident.number}/{verb}/").status_code == 405
    assert state_of(incident) == before


@pytest.mark.parametrize("verb", VERBS)
def test_signed_out_people_go_to_the_login(client: Client, incident: Incident, verb: str) -> None:
    before = state_of(incident)
    answer = client.post(f"/incidents/{incident.number}/{verb}/", fields_of(verb, incident))
    assert answer.status_code == 302
    assert "/accounts/login/" in answer["Location"]
    assert state_of(incident) == before


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("summary",)])
def test_nothing_sent_is_said_and_changes_nothing(
    as_analyst: Client, incident: Incident, verb: str, headers: dict[str, str]
) -> None:
    before = state_of(incident)
    answer = as_analyst.post(f"/incidents/{incident.number}/{verb}/", {}, headers=headers)
    assert answer.status_code in (400, 422)
    assert state_of(incident) == before


FIELD = {"status": "status", "edit": "severity", "summary": "summary"}


@pytest.mark.parametrize("verb", FIELD)
def test_a_stale_form_shows_both_versions_and_saves_nothing(as_analyst: Client, incident: Incident, verb: str) -> None:
    wanted = {**VERBS[verb], "seen": seen_of(incident, FIELD[verb])}
    Incident.objects.filter(pk=incident.pk).update(
        version=incident.version + 1, severity=4, status=1, summary="Their words"
    )
    before = state_of(incident)
    plain = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted)
    htmx = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted, headers=HTMX)
    assert (plain.status_code, htmx.status_code) == (412, 412)
    assert htmx["HX-Retarget"] == ("#incident-summary" if verb == "summary" else "#incident-note")
    mine = {"status": "Contained", "edit": "Low", "summary": "New words"}[verb]
    theirs = {"status": "In progress", "edit": "Critical", "summary": "Their words"}[verb]
    for text in (plain.content.decode(), htmx.content.decode()):
        assert "changed by somebody else" in text
        assert f"you wanted “{mine}”, it is now “{theirs}”" in text
    assert state_of(incident) == before


@pytest.mark.parametrize("verb", FIELD)
def test_after_both_were_shown_the_next_save_works(as_analyst: Client, incident: Incident, verb: str) -> None:
    wanted = {**VERBS[verb], "seen": seen_of(incident, FIELD[verb])}
    Incident.objects.filter(pk=incident.pk).update(severity=4, status=1, summary="Their words")
    refused = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted, headers=HTMX).content.decode()
    incident.refresh_from_db()
    wanted["seen"] = seen_of(incident, FIELD[verb])
    assert f'name="seen" value="{wanted["seen"]}"' in refused
    assert as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted, headers=HTMX).status_code == 200
    incident.refresh_from_db()
    assert (incident.summary, incident.severity, incident.status) == {
        "status": ("Their words", 4, 2), "edit": ("Their words", 1, 1), "summary": ("New words", 4, 1),
    }[verb]  # fmt: skip


@pytest.mark.parametrize("verb", FIELD)
def test_what_the_form_does_not_change_is_no_conflict(as_analyst: Client, incident: Incident, verb: str) -> None:
    wanted = {**VERBS[verb], "seen": seen_of(incident, FIELD[verb])}
    Incident.objects.filter(pk=incident.pk).update(version=incident.version + 5, tags=["theirs"], team=None)
    assert as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted).status_code == 302
    incident.refresh_from_db()
    assert incident.tags == ["theirs"]


def test_a_field_that_the_form_left_alone_is_not_taken_back(as_analyst: Client, incident: Incident) -> None:
    fields = {"title": "New title", "team": "Blue", "tlp": "amber", "pap": "amber", "tags": ""}
    seen = seen_of(incident, *fields)
    Incident.objects.filter(pk=incident.pk).update(tags=["theirs"], tlp="red")
    answer = as_analyst.post(f"/incidents/{incident.number}/edit/", {**fields, "seen": seen})
    assert answer.status_code == 302
    incident.refresh_from_db()
    assert (incident.title, incident.tags, incident.tlp) == ("New title", ["theirs"], "red")


def test_of_two_endings_the_second_is_refused_with_what_was_typed(as_analyst: Client, incident: Incident) -> None:
    seen = seen_of(incident, "status", "determination", "findings")
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="benign", reason="Theirs")
    before = state_of(incident)
    wanted = {"status": "resolved", "determination": "malicious", "reason": "anna’s reason", "resolve_alerts": "on"}
    for headers in ({}, HTMX):
        sent = {**wanted, "ending": "1", "seen": seen}
        answer = as_analyst.post(f"/incidents/{incident.number}/status/", sent, headers=headers)
        text = answer.content.decode()
        assert answer.status_code == 412
        assert "you wanted “Malicious”, it is now “Benign”" in text
        assert ">anna’s reason</textarea>" in text
        assert "Resolve alerts" not in text
        assert state_of(incident) == before
    assert answer["HX-Retarget"] == "#dialog"
    assert "HX-Trigger" not in answer, "the dialog stays"
    incident.refresh_from_db()
    again = seen_of(incident, "status", "determination", "findings")
    assert f'name="seen" value="{again}"' in text
    sent = {**wanted, "ending": "1", "seen": again}
    assert as_analyst.post(f"/incidents/{incident.number}/status/", sent, headers=HTMX).status_code == 200
    incident.refresh_from_db()
    assert (incident.determination, incident.resolve_reason) == (Determination.MALICIOUS, "anna’s reason")


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_hidden_and_what_is_not_there_read_alike(
    as_stranger: Client, as_analyst: Client, incident: Incident, verb: str
) -> None:
    hidden = as_stranger.post(f"/incidents/{incident.number}/{verb}/", fields_of(verb, incident)).content.decode()
    absent = as_stranger.post(f"/incidents/INC-999999/{verb}/", VERBS[verb]).content.decode()

    def without_request(text: str) -> str:
        return text.partition("<code>")[0]

    assert without_request(hidden) == without_request(absent)
