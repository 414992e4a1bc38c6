""" "12 hidden from you": what team and source hide, by status and severity, never what is restricted (rulings 22)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from guardian.shortcuts import assign_perm

from cases import hidden
from cases.models import Alert, Incident
from soar.accounts import portal
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
SHOWN = re.compile(r"([0-9,]+\+?) hidden from you")


def said(user: User, path: str = "/alerts/hidden/", **query: Any) -> str:
    """The figure of the line, "" for none."""
    answer = client_of(User.objects.get(pk=user.pk)).get(path, query)
    assert answer.status_code == 200
    found = SHOWN.search(answer.content.decode())
    return found[1] if found else ""


@pytest.fixture
def reds(red: Team) -> list[Alert]:
    """Of team Red: three open alerts, one of them critical, and a resolved one; and what everybody sees."""
    make_alert("Everybody's")
    made = [make_alert(f"Red {n}", team=red, severity=4 if n == 0 else 2) for n in range(3)]
    made.append(make_alert("Red over", team=red, status=2, determination=1))
    return made


def test_alerts_of_other_teams_are_counted(
    analyst: User, stranger: User, admin: User, nobody: User, reds: list[Alert]
) -> None:
    assert said(analyst) == "3"
    assert said(stranger) == said(admin) == ""
    assert client_of(nobody).get("/alerts/hidden/").status_code == 403
    page = client_of(analyst).get("/alerts/").content.decode()
    assert 'hx-get="/alerts/hidden/?' in page
    assert 'hx-get="/alerts/hidden/' not in client_of(admin).get("/alerts/").content.decode()


def test_by_status_and_severity_and_nothing_else(analyst: User, reds: list[Alert]) -> None:
    assert said(analyst, severity="critical") == "1"
    assert said(analyst, q="severity:>=high") == "1"
    assert said(analyst, status="resolved") == "1"
    assert said(analyst, status="new,in_progress,resolved") == "4"
    assert said(analyst, severity="low") == ""
    # Neither words, owner, tag, host, source nor observable narrow it: else it would say what is hidden.
    for query in (
        {"q": "Red 1"},
        {"owner": "me"},
        {"tag": "x"},
        {"host": "y"},
        {"q": "nothing-like-it"},
        {"source": "z"},
    ):
        assert said(analyst, **query) == "3", query


def test_what_is_restricted_never_counts(analyst: User, red: Team, reds: list[Alert]) -> None:
    secret = make_incident("Secret", reds[0], team=red)
    assert said(analyst, "/incidents/hidden/") == "1"
    Incident.objects.filter(pk=secret.pk).update(restricted=True)
    Alert.objects.filter(incident=secret).update(restricted=True)
    assert said(analyst) == "2"
    assert said(analyst, "/incidents/hidden/") == ""


def test_what_one_sees_for_another_reason_does_not_count(analyst: User, red: Team, blue: Team) -> None:
    source = make_source("Shared", team=red)
    make_alert("By source", source=source)
    make_alert("Mine", team=red, owner=analyst)
    make_incident("Ours", make_alert("Inside", team=red), team=blue)
    theirs = make_incident("Theirs", make_alert("In theirs", team=red), team=red)
    assert said(analyst) == "2"
    assign_perm("cases.view_source", analyst, source)
    assert said(analyst) == "1"
    assign_perm("cases.view_incident", analyst, theirs)
    assert said(analyst) == ""
    assert said(analyst, "/incidents/hidden/") == ""


def test_incidents_by_tab_status_and_severity(analyst: User, red: Team) -> None:
    make_incident("Low", team=red, severity="low")
    make_incident("High", team=red, severity="high")
    Incident.objects.filter(title="Low").update(status=4, determination=1)
    path = "/incidents/hidden/"
    assert said(analyst, path) == "1"
    assert said(analyst, path, tab="closed") == "1"
    assert said(analyst, path, tab="closed", severity="high") == ""
    assert said(analyst, path, q="nothing-like-it", owner="me") == "1"
    assert 'hx-get="/incidents/hidden/?' in client_of(analyst).get("/incidents/").content.decode()


def test_it_counts_no_further_than_a_reader_needs(
    analyst: User, reds: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden, "CAP", 2)
    assert said(analyst) == "2+"
    monkeypatch.setattr(hidden, "CAP", 1000)
    monkeypatch.setattr(hidden, "LOOKED_AT", 2)
    assert said(analyst) == "2+"
    assert said(analyst, severity="low") == ""


def test_an_admin_switches_it_off(admin: User, analyst: User, viewer: User, reds: list[Alert]) -> None:
    assert client_of(viewer).get("/settings/portal/").status_code == 403
    assert client_of(viewer).post("/settings/portal/", {}).status_code == 403
    browser = client_of(admin)
    assert "checked" in browser.get("/settings/portal/").content.decode()
    assert browser.post("/settings/portal/", {"first_steps": "1"}).status_code == 302
    assert said(analyst) == ""
    entry = AuditEntry.objects.get(verb="setting.changed")
    assert (entry.actor_id, entry.target, entry.data) == (admin.pk, "hidden_hint", {"value": False})
    browser.post("/settings/portal/", {"first_steps": "1"})
    assert AuditEntry.objects.filter(verb="setting.changed").count() == 1
    browser.post("/settings/portal/", {"hidden_hint": "1", "first_steps": "1"})
    assert said(analyst) == "3"
    assert portal.HIDDEN_HINT.on()


def test_why_is_a_page_and_a_dialog(as_analyst: Any) -> None:
    page = as_analyst.get("/alerts/hidden/why/").content.decode()
    assert "<h1>" in page
    part = as_analyst.get("/alerts/hidden/why/", headers={"HX-Request": "true"}).content.decode()
    assert "<h1>" not in part
    assert "never counted" in part
