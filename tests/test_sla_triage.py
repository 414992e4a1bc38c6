"""The filter of the queue by how long alerts have waited for somebody (casework.md 2, 11)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from cases.actions import alerts, sla_policy
from cases.actors import Actor
from cases.filters import AlertFilter
from cases.models import Alert
from cases.sla import triage
from soar.accounts.models import User
from soar.lib import clock
from tests.factories import make_alert, make_incident
from tests.playbook_pages import text_of

pytestmark = pytest.mark.django_db


def found(word: str) -> set[str]:
    wanted = AlertFilter.parse({"sla": word}, default_open=True)
    return set(wanted.apply(Alert.objects.all()).values_list("title", flat=True))


def test_alerts_are_overdue_at_risk_or_in_time_by_their_severity() -> None:
    for minutes, severity, title in (
        (16, 4, "late"), (12, 4, "soon"), (1, 4, "fine"), (16, 3, "also fine"), (31, 3, "also late"), (9999, 0, "free"),
    ):  # fmt: skip
        make_alert(title, severity=severity, age=timedelta(minutes=minutes))
    assert found("breached") == {"late", "also late"}
    assert found("at_risk") == {"soon"}
    assert found("ok") == {"fine", "also fine"}


def test_what_somebody_took_or_an_incident_holds_does_not_wait(analyst: User) -> None:
    taken, assigned, linked, waits = (make_alert(severity=4, age=timedelta(hours=1)) for _ in range(4))
    alerts.claim(Actor.of(analyst), taken.pk)
    alerts.assign(Actor.of(analyst), assigned.pk, owner=analyst)
    make_incident("Case", linked)
    assert found("breached") == {waits.title}


def test_working_hours_count_as_the_policy_says(admin: User) -> None:
    sla_policy.change(Actor.of(admin), {
        "targets": {"critical": {"always": False}},
        "hours": [{"days": ["fri", "mon"], "from": "09:00", "to": "17:00"}],
    })  # fmt: skip
    friday = datetime(2026, 3, 6, 16, 50, tzinfo=UTC)
    alert = make_alert("Late on Friday", severity=4)
    Alert.objects.filter(pk=alert.pk).update(received_at=friday)
    for moment, word in (
        (friday + timedelta(minutes=5), "ok"),
        (friday + timedelta(days=2), "ok"),  # ten minutes of fifteen are used
        (datetime(2026, 3, 9, 9, 2, tzinfo=UTC), "at_risk"),
        (datetime(2026, 3, 9, 9, 5, tzinfo=UTC), "breached"),
    ):
        with clock.at(moment):
            assert [one for one in ("breached", "at_risk", "ok") if found(one)] == [word], moment


def test_the_queue_and_the_api_take_the_filter(as_analyst: Client) -> None:
    make_alert("Waits too long", severity=4, age=timedelta(hours=1))
    make_alert("Just came", severity=4)
    shown = as_analyst.get("/alerts/?sla=breached").content.decode()
    assert "Waits too long" in shown
    assert "Just came" not in shown
    assert "Just came" in as_analyst.get("/alerts/?q=-sla:breached").content.decode()
    listed = as_analyst.get("/api/v1/alerts/?sla=ok").json()["results"]
    assert [one["title"] for one in listed] == ["Just came"]
    assert as_analyst.get("/api/v1/alerts/?sla=odd").status_code == 400


def shown(client: Client, title: str, path: str = "/alerts/") -> str:
    """The cell SLA of the alert's line, without its elements."""
    line = next(line for line in text_of(client.get(path)).split("<tr ") if title in line)
    return re.sub(r"<[^>]+>", "", re.search(r'<td class="c-sla num".*?</td>', line)[0])  # type: ignore[index]


def test_the_queue_says_how_long_each_alert_may_wait(as_analyst: Client) -> None:
    moment = datetime(2026, 3, 6, 12, 0, tzinfo=UTC)
    for minutes, severity, title in ((21, 4, "late"), (12, 4, "nearly late"), (1, 3, "fine"), (9999, 0, "free")):
        alert = make_alert(title, severity=severity)
        Alert.objects.filter(pk=alert.pk).update(received_at=moment - timedelta(minutes=minutes))
    with clock.at(moment):
        page = text_of(as_analyst.get("/alerts/"))
        assert [shown(as_analyst, title) for title in (">late<", "nearly late", "fine", "free")] == [
            "−6 min", "3 min", "29 min", "–",
        ]  # fmt: skip
    assert '<time class="clock is-overdue" datetime="2026-03-06T11:54:00Z"' in page
    assert '<time class="clock is-at_risk" datetime="2026-03-06T12:03:00Z"' in page
    assert '<time class="clock" datetime="2026-03-06T12:29:00Z"' in page


def test_no_clock_runs_for_what_somebody_has(as_analyst: Client, analyst: User) -> None:
    taken, linked, resolved = (make_alert(title, severity=4) for title in ("Taken", "Linked", "Over"))
    alerts.claim(Actor.of(analyst), taken.pk)
    make_incident("Case", linked)
    alerts.resolve(Actor.of(analyst), resolved.pk, determination="benign", reason="A drill")
    assert [shown(as_analyst, title) for title in ("Taken", "Linked")] == ["–", "–"]
    assert shown(as_analyst, "Over", "/alerts/?status=resolved") == "–"


def test_a_clock_stands_still_outside_of_working_hours(admin: User, as_analyst: Client) -> None:
    sla_policy.change(Actor.of(admin), {
        "targets": {"critical": {"always": False}},
        "hours": [{"days": ["fri", "mon"], "from": "09:00", "to": "17:00"}],
    })  # fmt: skip
    alert = make_alert("Late on Friday", severity=4)
    Alert.objects.filter(pk=alert.pk).update(received_at=datetime(2026, 3, 6, 16, 50, tzinfo=UTC))
    with clock.at(datetime(2026, 3, 9, 8, 0, tzinfo=UTC)):
        assert shown(as_analyst, "Late on Friday") == "1 h 05"
    with clock.at(datetime(2026, 3, 9, 9, 7, tzinfo=UTC)):
        assert shown(as_analyst, "Late on Friday") == "−2 min"


def test_the_columns_and_the_filter_agree(as_analyst: Client) -> None:
    for minutes in range(0, 1000, 7):
        make_alert(f"after {minutes}", severity=minutes % 5, age=timedelta(minutes=minutes))
    moment = clock.now()
    with clock.at(moment):
        waits = triage.waits_of(Alert.objects.all())
        for word in ("breached", "at_risk", "ok"):
            wanted = AlertFilter.parse({"sla": word}, default_open=True)
            ids = set(wanted.apply(Alert.objects.all()).values_list("pk", flat=True))
            assert {pk for pk, wait in waits.items() if wait.state == word} == ids
        urgent = AlertFilter.parse({"sla": "urgent"}, default_open=True).apply(Alert.objects.all())
        assert {pk for pk, wait in waits.items() if wait.state != "ok"} == set(urgent.values_list("pk", flat=True))
