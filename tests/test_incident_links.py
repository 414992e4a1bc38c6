"""Alerts and observables in and out of an incident, and the search for alerts (casework.md 7)."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import links
from cases.actors import Actor
from cases.models import Alert, Incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def incident(blue: Team) -> Incident:
    """Of team Blue, with one alert that names an address."""
    alert = make_alert("First", source=make_source(team=blue), observables=(("ip", "203.0.113.77"),))
    return make_incident("Case", alert, team=blue)


@pytest.fixture
def alert(blue: Team) -> Alert:
    """An open alert of team Blue in no incident."""
    return make_alert("Beacon", source=make_source(team=blue), hostname="FIN-LT-0118", source_ip="198.51.100.4")


def search(client: Client, incident: Incident, text: str) -> str:
    """What the search answers to htmx."""
    answer = client.get(f"/incidents/{incident.number}/search/", {"q": text}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_link_and_unlink(as_analyst: Client, incident: Incident, alert: Alert) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/link/", {"alerts": alert.number}, headers=HTMX)
    assert answer.status_code == 200
    assert "Beacon" in answer.content.decode()
    alert.refresh_from_db()
    assert alert.incident == incident
    assert as_analyst.post(f"/incidents/{incident.number}/unlink/", {"alerts": alert.number}).status_code == 302
    assert Alert.objects.get(pk=alert.pk).incident is None
    incident.refresh_from_db()
    assert incident.alert_count == 1
    kinds = list(incident.timeline.order_by("pk").values_list("kind", flat=True))
    assert kinds[-2:] == ["incident.alert_linked", "incident.alert_unlinked"]


def test_several_numbers_with_commas(as_analyst: Client, incident: Incident, alert: Alert) -> None:
    other = make_alert("Other", source=alert.source)
    sent = {"alerts": f"{alert.number}, {other.pk}"}
    assert as_analyst.post(f"/incidents/{incident.number}/link/", sent).status_code == 302
    assert Alert.objects.filter(incident=incident).count() == 3


def test_one_of_another_incident_is_moved_only_when_meant(as_analyst: Client, incident: Incident, alert: Alert) -> None:
    other = make_incident("Other", alert, team=incident.team)
    sent = {"alerts": alert.number}
    answer = as_analyst.post(f"/incidents/{incident.number}/link/", sent, headers=HTMX)
    assert answer.status_code == 409
    assert f"{alert.number} is in {other.number}" in answer.content.decode()
    assert f"Move to {incident.number}" in answer.content.decode()
    alert.refresh_from_db()
    assert alert.incident == other
    assert as_analyst.post(f"/incidents/{incident.number}/link/", {**sent, "move": "1"}).status_code == 302
    alert.refresh_from_db()
    assert alert.incident == incident


@pytest.mark.parametrize("number", ["ALR-999999", "INC-1", "x", "-1", "9" * 30])
def test_no_such_alert(as_analyst: Client, incident: Incident, number: str) -> None:
    answer = as_analyst.post(f"/incidents/{incident.number}/link/", {"alerts": number})
    assert answer.status_code == 404
    assert Alert.objects.filter(incident=incident).count() == 1


def test_an_alert_of_another_team_cannot_be_taken(as_analyst: Client, incident: Incident, red: Team) -> None:
    hidden = make_alert("Hidden", source=make_source(team=red), hostname="RED-HOST-1")
    assert as_analyst.post(f"/incidents/{incident.number}/link/", {"alerts": hidden.number}).status_code == 404
    assert "Hidden" not in search(as_analyst, incident, "RED-HOST-1")
    assert "Hidden" not in search(as_analyst, incident, hidden.number)


@pytest.mark.parametrize(
    ("text", "why"), [("fin-lt", "host FIN-LT-0118"), ("198.51.100.4", "address 198.51.100.4"), ("beac", "title")]
)
def test_search_says_why(as_analyst: Client, incident: Incident, alert: Alert, text: str, why: str) -> None:
    found = search(as_analyst, incident, text)
    assert alert.number in found
    assert why in found


def test_search_by_number_observable_and_for_those_elsewhere(
    as_analyst: Client, incident: Incident, alert: Alert
) -> None:
    assert "number" in search(as_analyst, incident, alert.number)
    seen = make_alert("Same address", source=alert.source, observables=(("ip", "192.0.2.200"),))
    other = make_incident("Other", seen, team=incident.team)
    found = search(as_analyst, incident, "192.0.2.200")
    assert "names it as an observable" in found
    assert f"in {other.number}, would be moved" in found


def test_search_finds_open_alerts_of_other_incidents_only(as_analyst: Client, incident: Incident) -> None:
    assert "First" not in search(as_analyst, incident, "203.0.113.77")
    assert "too short" in search(as_analyst, incident, "z")
    for text in ("'; DROP TABLE x", "\x00", "%", "a" * 3000, "severity:nonsense", '"'):
        search(as_analyst, incident, text)


def test_search_without_scripts(as_analyst: Client, incident: Incident, alert: Alert) -> None:
    text = as_analyst.get(f"/incidents/{incident.number}/search/?q=fin-lt").content.decode()
    assert alert.number in text
    assert text.count('id="incident-found"') == 1


def test_more_alerts_share_something(as_analyst: Client, incident: Incident, blue: Team) -> None:
    source = make_source(team=blue)
    for number in range(2):
        make_alert(f"Also {number}", source=source, observables=(("ip", "203.0.113.77"),))
    asks = f'hx-get="/incidents/{incident.number}/more/" hx-trigger="load"'
    assert asks in as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    text = as_analyst.get(f"/incidents/{incident.number}/more/", headers=HTMX).content.decode()
    assert asks not in text
    assert "2 more alerts share 203[.]0[.]113[.]77" in text
    assert "Also 1" in search(as_analyst, incident, "")


def test_observables_by_hand(as_analyst: Client, incident: Incident) -> None:
    url = f"/incidents/{incident.number}/observables/"
    answer = as_analyst.post(f"{url}add/", {"type": "domain", "value": "evil[.]example-mail.com"}, headers=HTMX)
    assert answer.status_code == 200
    assert "evil[.]example-mail[.]com" in answer.content.decode()
    for _ in range(2):
        as_analyst.post(f"{url}add/", {"type": "domain", "value": "evil.example-mail.com"})
    link = incident.observable_links.get()
    assert incident.timeline.filter(kind="observable.added").count() == 1
    assert as_analyst.post(f"{url}remove/", {"observable": link.observable_id}).status_code == 302
    assert not incident.observable_links.exists()
    assert as_analyst.post(f"{url}remove/", {"observable": link.observable_id}).status_code == 404


@pytest.mark.parametrize(
    ("type_", "value"), [("ip", "999.1.1.1"), ("nonsense", "x"), ("domain", ""), ("sha256", "abc"), ("ip", "\x00")]
)
def test_a_wrong_observable_stays_in_its_form(as_analyst: Client, incident: Incident, type_: str, value: str) -> None:
    sent = {"type": type_, "value": value}
    answer = as_analyst.post(f"/incidents/{incident.number}/observables/add/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert 'id="o-error"' in answer.content.decode()
    assert not incident.observable_links.exists()


def test_the_observables_of_alerts_cannot_be_taken_off(as_analyst: Client, incident: Incident) -> None:
    one = incident.alerts.get().observable_links.get().observable_id
    assert as_analyst.post(f"/incidents/{incident.number}/observables/remove/", {"observable": one}).status_code == 404
    text = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "203[.]0[.]113[.]77" in text


def test_an_alert_that_is_linked_later_raises_the_tlp_and_brings_its_techniques(analyst: User) -> None:
    incident = make_incident("Case", make_alert(techniques=["T1566"]))
    links.link(Actor.of(analyst), [make_alert(tlp="red", techniques=["T1059", "T1566"]).pk], incident.pk)
    links.link(Actor.of(analyst), [make_alert(tlp="green").pk], incident.pk)
    incident.refresh_from_db()
    assert (incident.tlp, incident.techniques) == ("red", ["T1566", "T1059"])
    told = [
        (entry.data["field"], entry.data["old"], entry.data["new"])
        for entry in incident.timeline.filter(kind="changed").order_by("pk")
    ]
    assert told == [("tlp", "amber", "red"), ("techniques", ["T1566"], ["T1566", "T1059"])]


def test_who_opens_an_incident_says_its_tlp(analyst: User) -> None:
    incident = make_incident("Case", make_alert(tlp="red"), tlp="green")
    assert Incident.objects.get(pk=incident.pk).tlp == "green"
