"""One verb on the ticked rows of the queue."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus, Severity
from cases.models import Alert, Incident
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def two(blue: Team) -> list[Alert]:
    """Two alerts of team Blue."""
    source = make_source(team=blue)
    return [make_alert("One", source=source, tags=["old"]), make_alert("Two", source=source)]


def send(client: Client, ticked: list[Alert], action: str, **fields: str) -> tuple[int, str]:
    """Post the bar's form as htmx does; the answer's status and text."""
    given = {"alert": [alert.pk for alert in ticked], "action": action, **fields}
    answer = client.post("/alerts/bulk/", given, headers=HTMX)
    return answer.status_code, answer.content.decode()


def fresh(rows: list[Alert]) -> list[Alert]:
    return list(Alert.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk"))


@pytest.mark.parametrize(
    ("action", "fields", "field", "value"),
    [
        ("assign", {"owner": "priya"}, "owner.username", "priya"),
        ("claim", {}, "owner.username", "mara"),
        ("status", {"status": "in_progress"}, "status", AlertStatus.IN_PROGRESS),
        ("resolve", {"determination": "malicious", "reason": "Known"}, "resolve_reason", "Known"),
        ("severity", {"severity": "critical"}, "severity", Severity.CRITICAL),
    ],
)
def test_a_verb_on_all_that_are_ticked(
    as_analyst: Client,
    responder: User,
    two: list[Alert],
    action: str,
    fields: dict[str, str],
    field: str,
    value: object,
) -> None:
    status, page = send(as_analyst, two, action, **fields)
    assert status == 200
    said = {"claim": "assigned to you", "assign": "assigned", "resolve": "resolved", "reopen": "reopened"}
    assert f"2 alerts {said.get(action, 'changed')}" in page
    for alert in fresh(two):
        found: object = alert
        for name in field.split("."):
            found = getattr(found, name)
        assert found == value
        assert f'<tr id="alert-{alert.pk}"' in page
    assert page.lstrip().startswith('<section class="bulk" id="bulk-bar"')
    assert 'data-count="0"' in page
    assert 'id="alert-tabs"' in page


def test_tags_are_added(as_analyst: Client, two: list[Alert]) -> None:
    send(as_analyst, two, "tag", tags="new, old")
    assert [alert.tags for alert in fresh(two)] == [["old", "new"], ["new", "old"]]


def test_what_the_other_dialogs_hold_does_not_count(as_analyst: Client, two: list[Alert]) -> None:
    fields = {"owner": "keep", "team": "keep", "severity": "critical", "determination": "", "status": "in_progress"}
    send(as_analyst, two, "tag", tags="x", **fields)
    assert {(a.severity, a.status, a.owner_id) for a in fresh(two)} == {(Severity.MEDIUM, AlertStatus.NEW, None)}


def test_link_and_open_an_incident(as_analyst: Client, two: list[Alert], blue: Team) -> None:
    incident = make_incident("Case", team=blue)
    status, page = send(as_analyst, two[:1], "link", incident=incident.number)
    assert (status, fresh(two)[0].incident_id) == (200, incident.pk)
    assert f"1 alert linked to {incident.number}" in page
    status, page = send(as_analyst, two, "incident", title="Another")
    assert status == 409
    assert f"is in {incident.number}" in page
    assert fresh(two)[1].incident_id is None
    status, page = send(as_analyst, two[1:], "incident", title="Another")
    made = Incident.objects.get(title="Another")
    assert (status, fresh(two)[1].incident_id) == (200, made.pk)
    assert f"{made.number} opened" in page
    status, page = send(as_analyst, two, "link", incident=made.number, move="1")
    assert (status, fresh(two)[0].incident_id) == (200, made.pk)


def test_refusals_are_told_alert_by_alert(as_analyst: Client, two: list[Alert], analyst: User, red: Team) -> None:
    alerts.resolve(Actor.of(analyst), two[0].pk, determination="malicious")
    foreign = make_alert("Not for Blue", source=make_source(team=red))
    status, page = send(as_analyst, [*two, foreign], "claim")
    assert status == 200
    assert "1 alert assigned to you" in page
    assert f"{two[0].number}: The alert is resolved" in page
    assert f"{foreign.number}: There is no alert" in page
    assert "Not for Blue" not in page
    assert fresh([foreign])[0].owner is None


@pytest.mark.parametrize(
    ("action", "fields", "ticked"),
    [
        ("claim", {}, False),
        ("link", {"incident": "INC-999999"}, True),
        ("link", {}, True),
        ("incident", {"title": "x" * 301}, True),
        ("dance", {}, True),
        ("", {}, True),
    ],
)
def test_what_cannot_be_done_says_why(
    as_analyst: Client, two: list[Alert], action: str, fields: dict[str, str], ticked: bool
) -> None:
    status, page = send(as_analyst, two if ticked else [], action, **fields)
    assert status == 422
    assert 'role="alert"' in page
    plain = as_analyst.post(
        "/alerts/bulk/", {"alert": [a.pk for a in two] if ticked else [], "action": action, **fields}
    )
    assert plain.status_code == 422
    assert 'role="alert"' in plain.content.decode()
    assert {alert.version for alert in fresh(two)} == {1}


@pytest.mark.parametrize(("action", "fields"), [("resolve", {}), ("severity", {"severity": "huge"}), ("status", {})])
def test_bad_fields_are_refused_for_each(
    as_analyst: Client, two: list[Alert], action: str, fields: dict[str, str]
) -> None:
    status, page = send(as_analyst, two, action, **fields)
    assert status == 200
    assert "Nothing was changed" in page
    assert f"{two[0].number}:" in page
    assert {alert.version for alert in fresh(two)} == {1}


@pytest.mark.parametrize("number", ["x", "INC-1", "9" * 30, "-1", "1.5"])
def test_a_tick_that_is_no_alert(as_analyst: Client, number: str) -> None:
    answer = as_analyst.post("/alerts/bulk/", {"alert": number, "action": "claim"}, headers=HTMX)
    assert answer.status_code in (200, 422)
    assert "no " in answer.content.decode().lower()


def test_more_than_a_thousand_are_refused(as_analyst: Client) -> None:
    given = {"alert": [str(n) for n in range(1, 1200)], "action": "claim"}
    answer = as_analyst.post("/alerts/bulk/", given, headers=HTMX)
    assert answer.status_code == 422
    assert "1000" in answer.content.decode()


def test_the_plain_door_leads_back_to_the_same_filter(as_analyst: Client, two: list[Alert]) -> None:
    given = {"alert": [two[0].pk], "action": "claim", "query": "severity=medium&sort=newest"}
    answer = as_analyst.post("/alerts/bulk/", given)
    assert answer.status_code == 302
    assert answer["Location"] == "/alerts/?severity=medium&sort=newest"
    assert "1 alert assigned to you" in as_analyst.get(answer["Location"]).content.decode()


def test_the_way_back_is_always_ours(as_analyst: Client, two: list[Alert]) -> None:
    for query in ("//evil.example", "https://evil.example/", "q=//evil"):
        answer = as_analyst.post("/alerts/bulk/", {"alert": [two[0].pk], "action": "claim", "query": query})
        assert answer["Location"].startswith("/alerts/")


def test_a_viewer_and_a_stranger(as_viewer: Client, as_stranger: Client, two: list[Alert]) -> None:
    assert as_viewer.post("/alerts/bulk/", {"alert": [two[0].pk], "action": "claim"}).status_code == 403
    status, page = send(as_stranger, two, "claim")
    assert (status, "Nothing was changed" in page) == (200, True)
    assert {alert.version for alert in fresh(two)} == {1}


def test_reading_it_is_refused(as_analyst: Client) -> None:
    assert as_analyst.get("/alerts/bulk/").status_code == 405


VERBS = {"assign": "Assign", "resolve": "Resolve", "status": "Status of", "severity": "Severity of", "tag": "Tag"}


@pytest.mark.parametrize(("verb", "words"), [*VERBS.items(), ("incident", "Escalate")])
def test_a_verb_asks_and_names_the_alerts(as_analyst: Client, two: list[Alert], verb: str, words: str) -> None:
    given = {"alert": [alert.pk for alert in two], "query": "severity=medium"}
    page = as_analyst.post(f"/alerts/bulk/ask/{verb}/", given, headers=HTMX).content.decode()
    assert f"{words} 2 alerts" in page
    assert "<html" not in page
    for alert in two:
        assert f'<span class="mono">{alert.number}</span> {alert.title}' in page
        assert f'name="alert" value="{alert.pk}"' in page
    whole = as_analyst.post(f"/alerts/bulk/ask/{verb}/", {**given, "alert": [two[0].pk]}).content.decode()
    assert f"{words} {two[0].number}" in whole
    assert "</html>" in whole
    assert {alert.version for alert in fresh(two)} == {1}


def test_asking_names_no_alert_of_others(as_stranger: Client, as_viewer: Client, two: list[Alert]) -> None:
    given = {"alert": [alert.pk for alert in two]}
    answer = as_stranger.post("/alerts/bulk/ask/resolve/", given, headers=HTMX)
    assert answer.status_code == 422
    assert "Tick some alerts first" in answer.content.decode()
    assert "One" not in answer.content.decode()
    assert as_viewer.post("/alerts/bulk/ask/resolve/", given).status_code == 403


@pytest.mark.parametrize(("verb", "alerts", "status"), [("dance", ["1"], 404), ("tag", [], 422), ("tag", ["x"], 422)])
def test_asking_for_what_is_not_there(as_analyst: Client, verb: str, alerts: list[str], status: int) -> None:
    for headers in ({}, HTMX):
        answer = as_analyst.post(f"/alerts/bulk/ask/{verb}/", {"alert": alerts}, headers=headers)
        assert answer.status_code == status


def test_the_dialog_stays_while_nothing_could_be_done(as_analyst: Client, two: list[Alert]) -> None:
    given = {"alert": [two[0].pk], "action": "resolve"}
    answer = as_analyst.post("/alerts/bulk/", given, headers=HTMX)
    assert "dialog-close" not in answer["HX-Trigger"]
    assert 'id="bulk-problem" role="alert" hx-swap-oob="true"' in answer.content.decode()
    done = as_analyst.post("/alerts/bulk/", {**given, "determination": "malicious"}, headers=HTMX)
    assert "dialog-close" in done["HX-Trigger"]
