"""An alert and its incident, worked from the alert's page: open, link, move, unlink, not related, find."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.models import Alert, Incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def alert(blue: Team) -> Alert:
    return make_alert("Beacon", source=make_source(team=blue), hostname="LT-0114")


@pytest.fixture
def case(blue: Team) -> Incident:
    """An open incident of team Blue."""
    return make_incident(
        "Rented servers", make_alert("First", hostname="LT-0114", source=make_source(team=blue)), team=blue
    )


def incident_of(alert: Alert) -> int | None:
    return Alert.objects.get(pk=alert.pk).incident_id


def test_escalating_opens_an_incident_in_place(
    as_analyst: Client, alert: Alert, analyst: User, responder: User
) -> None:
    given = {"title": "A new case", "owners": ["mara", "priya"]}
    answer = as_analyst.post(f"/alerts/{alert.number}/escalate/", given, headers=HTMX).content.decode()
    incident = Incident.objects.get()
    assert (incident.title, incident_of(alert)) == ("A new case", incident.pk)
    assert {user.username for user in incident.owners.all()} == {"mara", "priya"}
    assert f'href="/incidents/{incident.number}/"' in answer
    assert 'id="alert-similar" aria-labelledby="s-similar" hx-swap-oob="true"' in answer


def test_escalating_twice_is_refused(as_analyst: Client, alert: Alert) -> None:
    as_analyst.post(f"/alerts/{alert.number}/escalate/", {"title": "One"})
    for headers in ({}, HTMX):
        assert (
            as_analyst.post(f"/alerts/{alert.number}/escalate/", {"title": "Two"}, headers=headers).status_code == 409
        )
    assert Incident.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("given", [{"title": "x" * 301}, {"title": "Case", "owners": "no-such"}])
def test_an_incident_that_cannot_be(
    as_analyst: Client, alert: Alert, given: dict[str, str], headers: dict[str, str]
) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/escalate/", given, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    asked = as_analyst.post(f"/alerts/{alert.number}/escalate/", {**given, "asked": "1"}, headers=headers)
    assert asked.status_code == 422
    assert given["title"] in asked.content.decode()
    assert 'class="errorline"' in asked.content.decode()
    assert not Incident.objects.exists()


def test_linking_and_linking_again(as_analyst: Client, alert: Alert, case: Incident) -> None:
    for number in (case.number, case.number.lower(), str(case.pk)):
        answer = as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": number}, headers=HTMX)
        assert answer.status_code == 200
        assert case.number in answer.content.decode()
        assert incident_of(alert) == case.pk
    case.refresh_from_db()
    assert case.alert_count == 2


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("number", ["", "INC-999999", "x", "ALR-1", "9" * 30])
def test_an_incident_that_is_not_there(as_analyst: Client, alert: Alert, number: str, headers: dict[str, str]) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": number}, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert incident_of(alert) is None


def test_an_incident_of_others_is_as_if_it_were_not_there(as_analyst: Client, alert: Alert, red: Team) -> None:
    hidden = make_incident("Secret", make_alert(source=make_source(team=red)), team=red)
    answer = as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": hidden.number}, headers=HTMX)
    assert answer.status_code == 422
    assert "Secret" not in answer.content.decode()
    assert incident_of(alert) is None


def test_moving_is_asked_first_and_says_so(as_analyst: Client, alert: Alert, case: Incident, blue: Team) -> None:
    other = make_incident("Other", alert, team=blue)
    alert.refresh_from_db()
    for headers in ({}, HTMX):
        answer = as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": case.number}, headers=headers)
        page = answer.content.decode()
        assert answer.status_code == 409
        assert f"{alert.number} is in {other.number}" in page
        assert f"Move {alert.number} to {case.number}" in page
        assert incident_of(alert) == other.pk
    as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": case.number, "move": "1"})
    assert incident_of(alert) == case.pk
    page = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert f'moved it from <a href="/incidents/{other.number}/">' in page


def test_unlinking(as_analyst: Client, alert: Alert, case: Incident) -> None:
    as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": case.number})
    assert as_analyst.post(f"/alerts/{alert.number}/unlink/", headers=HTMX).status_code == 200
    assert incident_of(alert) is None
    answer = as_analyst.post(f"/alerts/{alert.number}/unlink/", headers=HTMX)
    assert answer.status_code == 422
    assert "is in no incident" in answer.content.decode()


def test_not_related_is_remembered(as_analyst: Client, as_viewer: Client, alert: Alert, case: Incident) -> None:
    assert f"Add to {case.number}" in as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    answer = as_analyst.post(f"/alerts/{alert.number}/not-related/", {"incident": case.number}, headers=HTMX)
    assert f"Add to {case.number}" not in answer.content.decode()
    assert "1 likely match" not in as_viewer.get(f"/alerts/{alert.number}/").content.decode()
    other = make_alert("Third", hostname="LT-0114", source=alert.source)
    assert f"Add to {case.number}" in as_analyst.get(f"/alerts/{other.number}/").content.decode()


def test_similar_alerts_are_linked_to_the_same_incident(as_analyst: Client, alert: Alert, case: Incident) -> None:
    other = make_alert("Third", hostname="LT-0114", source=alert.source)
    path = f"/alerts/{alert.number}/link-similar/"
    refused = as_analyst.post(path, {"alerts": other.number}, headers=HTMX)
    assert refused.status_code == 422
    assert "has no incident yet" in refused.content.decode()
    as_analyst.post(f"/alerts/{alert.number}/link/", {"incident": case.number})
    assert as_analyst.post(path, headers=HTMX).status_code == 422
    answer = as_analyst.post(path, {"alerts": other.number}, headers=HTMX)
    assert answer.status_code == 200
    assert incident_of(other) == case.pk
    assert as_analyst.post(path, {"alerts": [other.number, "x"]}, headers=HTMX).status_code == 422


@pytest.mark.parametrize("text", ["{number}", "rented", "lt-0114", "203.0.113.7", "203[.]0[.]113[.]7"])
def test_incidents_are_found_by_number_title_host_and_address(
    as_analyst: Client, alert: Alert, blue: Team, text: str
) -> None:
    first = make_alert("First", hostname="LT-0114", source=make_source(team=blue), observables=(("ip", "203.0.113.7"),))
    case = make_incident("Rented servers", first, team=blue)
    make_incident("Something else", make_alert("Nothing", source=make_source(team=blue)), team=blue)
    path = f"/alerts/{alert.number}/find-incident/"
    for headers in ({}, HTMX):
        page = as_analyst.get(path, {"q": text.format(number=case.number)}, headers=headers).content.decode()
        found = page.partition('id="incident-found"')[2]
        assert case.number in found
        assert "Something else" not in found


@pytest.mark.parametrize("text", ["", "zz", "no such thing", '"', "%", "\x00", "INC-999999", "x" * 5000])
def test_nothing_is_found_without_an_error(as_analyst: Client, alert: Alert, case: Incident, text: str) -> None:
    answer = as_analyst.get(f"/alerts/{alert.number}/find-incident/", {"q": text}, headers=HTMX)
    assert answer.status_code == 200
    assert case.number not in answer.content.decode()


def test_incidents_of_others_are_not_found(as_analyst: Client, alert: Alert, red: Team) -> None:
    hidden = make_incident(
        "Rented servers", make_alert("First", hostname="LT-0114", source=make_source(team=red)), team=red
    )
    for text in (hidden.number, "Rented", "LT-0114"):
        answer = as_analyst.get(f"/alerts/{alert.number}/find-incident/", {"q": text}, headers=HTMX)
        assert "Rented servers" not in answer.content.decode()


def test_a_viewer_may_not_search_to_link(as_viewer: Client, alert: Alert) -> None:
    assert as_viewer.get(f"/alerts/{alert.number}/find-incident/?q=x").status_code == 403
