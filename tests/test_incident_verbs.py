"""What every verb of an incident has in common: who may, which method, nothing half saved; by both doors."""

from __future__ import annotations

import pytest
from django.test import Client

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


@pytest.mark.parametrize("verb", ["status", "edit", "summary"])
def test_a_stale_form_shows_both_versions_and_saves_nothing(as_analyst: Client, incident: Incident, verb: str) -> None:
    Incident.objects.filter(pk=incident.pk).update(
        version=incident.version + 1, severity=4, status=1, summary="Their words"
    )
    wanted = {**VERBS[verb], "version": str(incident.version)}
    before = state_of(incident)
    plain = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted)
    htmx = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted, headers=HTMX)
    assert (plain.status_code, htmx.status_code) == (412, 412)
    assert htmx["HX-Retarget"] == "#incident-head"
    theirs = {"status": "in_progress", "edit": "critical", "summary": "Their words"}[verb]
    for text in (plain.content.decode(), htmx.content.decode()):
        assert "changed by somebody else" in text
        assert next(iter(VERBS[verb].values())) in text
        assert theirs in text
    assert state_of(incident) == before


@pytest.mark.parametrize("verb", ["status", "edit", "summary"])
def test_a_form_of_the_present_version_is_saved(as_analyst: Client, incident: Incident, verb: str) -> None:
    wanted = {**VERBS[verb], "version": str(incident.version)}
    answer = as_analyst.post(f"/incidents/{incident.number}/{verb}/", wanted)
    assert answer.status_code == 302
    incident.refresh_from_db()
    assert incident.version > int(wanted["version"])


@pytest.mark.parametrize("verb", VERBS)
def test_what_is_hidden_and_what_is_not_there_read_alike(
    as_stranger: Client, as_analyst: Client, incident: Incident, verb: str
) -> None:
    hidden = as_stranger.post(f"/incidents/{incident.number}/{verb}/", fields_of(verb, incident)).content.decode()
    absent = as_stranger.post(f"/incidents/INC-999999/{verb}/", VERBS[verb]).content.decode()

    def without_request(text: str) -> str:
        return text.partition("<code>")[0]

    assert without_request(hidden) == without_request(absent)
