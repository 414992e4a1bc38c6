"""What every verb of an alert has in common: who may, which method, stale forms; by both doors."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actions.seen import seen_of
from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
VERBS: dict[str, dict[str, str]] = {
    "claim": {},
    "assign": {"owner": "priya"},
    "status": {"status": "in_progress"},
    "severity": {"severity": "low"},
    "determination": {"determination": "malicious"},
    "tags": {"tags": "one, two"},
    "resolve": {"determination": "malicious", "reason": "Seen before"},
    "reopen": {"reason": "It came again"},
    "comment": {"text": "A note"},
    "escalate": {"title": "Case"},
    "link": {"incident": "INC-1"},
    "link-similar": {"alerts": "ALR-1"},
    "unlink": {},
    "not-related": {"incident": "INC-1"},
}
SHOWN = {
    "claim": ("owner",),
    "assign": ("owner", "team"),
    "status": ("status",),
    "severity": ("severity",),
    "determination": ("determination",),
    "tags": ("tags",),
    "resolve": ("status", "determination", "findings"),
}
BOTH = {
    "claim": "Last change",
    "assign": "you wanted “Priya Raman”, it is now “Mara Lindqvist”",
    "status": "you wanted “In progress”, it is now “Resolved”",
    "severity": "you wanted “Low”, it is now “Critical”",
    "determination": "you wanted “Malicious”, it is now “Suspicious”",
    "tags": "you wanted “one, two”, it is now “theirs”",
    "resolve": "you wanted “Malicious”, it is now “Suspicious”",
}
VERSIONED = ("claim", "assign", "status", "severity", "determination", "tags", "resolve")


@pytest.fixture
def alert(blue: Team, responder: User) -> Alert:
    """An alert of team Blue."""
    return make_alert("Beacon", source=make_source(team=blue))


def state_of(alert: Alert) -> tuple[object, ...]:
    """What must not have changed."""
    row = Alert.objects.filter(pk=alert.pk).defer("search").values_list().get()
    return (*row, TimelineEntry.objects.count())


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", VERBS)
def test_a_stranger_gets_404(as_stranger: Client, alert: Alert, verb: str, headers: dict[str, str]) -> None:
    before = state_of(alert)
    answer = as_stranger.post(f"/alerts/{alert.number}/{verb}/", VERBS[verb], headers=headers)
    assert answer.status_code == 404
    assert "Beacon" not in answer.content.decode()
    assert state_of(alert) == before


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", VERBS)
def test_a_viewer_gets_403_with_the_missing_right(
    as_viewer: Client, alert: Alert, verb: str, headers: dict[str, str]
) -> None:
    incident = make_incident("Case", make_alert())
    given = {name: value.replace("INC-1", incident.number) for name, value in VERBS[verb].items()}
    before = state_of(alert)
    answer = as_viewer.post(f"/alerts/{alert.number}/{verb}/", given, headers=headers)
    assert answer.status_code == 403
    assert "permission to work on cases" in answer.content.decode() or "not edit it" in answer.content.decode()
    assert state_of(alert) == before


@pytest.mark.parametrize("verb", VERBS)
def test_reading_a_verb_is_refused(as_analyst: Client, alert: Alert, verb: str) -> None:
    assert as_analyst.get(f"/alerts/{alert.number}/{verb}/").status_code == 405
    assert as_analyst.put(f"/alerts/{alert.number}/{verb}/").status_code == 405


@pytest.mark.parametrize("verb", VERBS)
def test_nobody_who_is_not_signed_in(client: Client, alert: Alert, verb: str) -> None:
    before = state_of(alert)
    answer = client.post(f"/alerts/{alert.number}/{verb}/", VERBS[verb])
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    assert state_of(alert) == before


@pytest.mark.parametrize("verb", VERBS)
def test_somebody_without_a_role(nobody: User, alert: Alert, verb: str) -> None:
    assert client_of(nobody).post(f"/alerts/{alert.number}/{verb}/", VERBS[verb]).status_code == 403


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize("verb", VERSIONED)
def test_a_stale_form_saves_nothing_and_shows_both(
    as_analyst: Client, alert: Alert, responder: User, verb: str, headers: dict[str, str]
) -> None:
    sent = {**VERBS[verb], "seen": seen_of(alert, *SHOWN[verb])}
    ended = {"status": "resolved", "determination": "suspicious"}
    changes = {"severity": "critical", "tags": ["theirs"], "owner": "mara", **ended}
    alerts.update(Actor.of(responder), alert.pk, changes=changes)
    before = state_of(alert)
    answer = as_analyst.post(f"/alerts/{alert.number}/{verb}/", sent, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 412
    assert state_of(alert) == before
    assert "changed by somebody else" in page
    assert "Last change: Priya Raman" in page
    assert BOTH[verb] in page
    if headers:
        dialog = verb in ("assign", "tags", "resolve")
        assert answer["HX-Retarget"] == ("#dialog" if dialog else "#alert-note")
        assert ("HX-Trigger" in answer) is not dialog
        if verb != "claim":  # nobody claims a resolved alert
            assert f'name="seen" value="{seen_of(Alert.objects.get(pk=alert.pk), *SHOWN[verb])}"' in page


@pytest.mark.parametrize("verb", VERSIONED)
def test_what_a_form_does_not_change_is_no_conflict(
    as_analyst: Client, alert: Alert, responder: User, verb: str
) -> None:
    sent = {**VERBS[verb], "seen": seen_of(alert, *SHOWN[verb])}
    other = "tags" if verb == "severity" else "severity"
    alerts.update(Actor.of(responder), alert.pk, changes={other: ["theirs"] if other == "tags" else "critical"})
    assert as_analyst.post(f"/alerts/{alert.number}/{verb}/", sent).status_code == 302


@pytest.mark.parametrize("verb", [*VERSIONED, "comment", "escalate"])
def test_the_plain_door_leads_back_and_the_other_brings_the_region(as_analyst: Client, alert: Alert, verb: str) -> None:
    answer = as_analyst.post(
        f"/alerts/{alert.number}/{verb}/", {**VERBS[verb], "seen": seen_of(alert, *SHOWN.get(verb, ()))}
    )
    assert answer.status_code == 302
    assert answer["Location"] == f"/alerts/{alert.number}/"
    other = make_alert("Second", source=alert.source)
    answer = as_analyst.post(f"/alerts/{other.number}/{verb}/", VERBS[verb], headers=HTMX)
    assert answer.status_code == 200
    region = {"comment": "composer", "escalate": "incident"}.get(verb, "head")
    assert f'id="alert-{region}"' in answer.content.decode()
    assert "poll" in answer["HX-Trigger"]
    assert 'id="live"' in answer.content.decode()


def test_a_form_without_a_token_is_refused(analyst: User, alert: Alert) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst, backend="soar.accounts.backend.Backend")
    before = state_of(alert)
    assert client.post(f"/alerts/{alert.number}/claim/").status_code == 403
    assert state_of(alert) == before
