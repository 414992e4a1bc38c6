"""Telling Vision One what became of its alerts: the right state, each note once, no going round in circles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases.actions import alerts, pulls
from cases.actors import Actor
from cases.ingest.pipeline import rules_of
from cases.models import Alert, AlertPull, AlertPush, TimelineEntry
from cases.models.pull import PushState
from cases.pulls import pushing, reading, taking
from soar.accounts.models import User
from soar.connectors.models import Attempt
from soar.connectors.reader import Item
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
REF = "WB-1"


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}, push=True) as found:
        yield found


@pytest.fixture
def alert(here: Range) -> Alert:
    """An alert that was read from Vision One."""
    source = make_source("Vision One", kind="visionone")
    row = pulls.set_pull(Actor.system(), source.slug, account=here.account.name)
    now = (datetime.now(UTC) - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
    here.state["alerts"][REF] = {
        "id": REF, "model": "Model", "severity": "high", "status": "Open", "investigationResult": "No Findings",
        "createdDateTime": now, "updatedDateTime": now,
    }  # fmt: skip
    reading.pull(row.pk)
    return Alert.objects.get()


def work() -> int:
    """Do what a worker does until nothing is queued. Returns how many things were told."""
    told = 0
    for _ in range(20):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM soar_queue RETURNING task, args")
            rows = cursor.fetchall()
        if not rows:
            break
        for task, args in rows:
            ids = json.loads(args)
            if task == "cases.tasks.consider_pushes":
                pushing.consider(ids)
            elif task == pushing.TASK:
                pushing.send(*ids)
                told += 1
    return told


def there(here: Range) -> tuple[str, str]:
    remote = here.state["alerts"][REF]
    return remote["status"], remote["investigationResult"]


def resolve(alert: Alert, determination: str = "malicious", **more: Any) -> None:
    alerts.resolve(Actor.system(), alert.pk, determination=determination, reason="seen", **more)


def again() -> None:
    """What waits for a later try is due."""
    AlertPush.objects.update(due_at=timezone.now() - timedelta(minutes=1))
    pushing.ring()


@pytest.mark.parametrize(("fault", "words"), [("401", "expired"), ("403", "role")])
def test_a_refusal_is_kept_and_told_again_when_asked(here: Range, alert: Alert, fault: str, words: str) -> None:
    here.fault(fault, times=9)
    resolve(alert)
    work()
    row = AlertPush.objects.get()
    assert row.state == PushState.FAILED
    assert words in row.said
    again()
    assert work() == 0  # nobody tries in vain
    here.standin._faults.clear()
    assert pulls.push_again(Actor.system(), alert.source.slug) == 1
    again()
    work()
    assert there(here) == ("Closed", "True Positive")
    assert not AlertPush.objects.filter(state=PushState.FAILED).exists()


@pytest.mark.parametrize("fault", ["html", "429", "500", "before", "garbage"])
def test_what_may_pass_is_tried_again(here: Range, alert: Alert, fault: str) -> None:
    here.fault(fault, times=3)
    resolve(alert)
    work()
    row = AlertPush.objects.get()
    assert row.state in (PushState.SENDING, PushState.DONE)
    here.standin._faults.clear()
    again()
    work()
    row.refresh_from_db()
    assert row.state == PushState.DONE
    assert there(here) == ("Closed", "True Positive")
    assert here.state["patched"] == 1


def test_it_is_given_up_in_the_end(here: Range, alert: Alert) -> None:
    here.fault("html", times=1000)
    resolve(alert)
    work()
    AlertPush.objects.update(attempts=pushing.MOST_ATTEMPTS - 1)
    again()
    work()
    assert AlertPush.objects.get().state == PushState.FAILED


def test_somebody_else_was_quicker(here: Range, alert: Alert) -> None:
    here.state["race"] = 3
    resolve(alert)
    work()
    assert there(here) == ("Closed", "True Positive")
    answers = Attempt.objects.filter(operation="alert.change").values_list("response__status", flat=True)
    assert sorted(answers) == [204, 412, 412, 412]


def test_who_is_always_too_late_tries_later(here: Range, alert: Alert) -> None:
    here.state["race"] = 1000
    resolve(alert)
    work()
    assert AlertPush.objects.get().state == PushState.SENDING
    here.state["race"] = 0
    again()
    work()
    assert there(here)[0] == "Closed"


def test_an_alert_that_is_gone_there_is_said(here: Range, alert: Alert) -> None:
    here.state["alerts"].clear()
    resolve(alert)
    work()
    row = AlertPush.objects.get()
    assert (row.state, "not found" in row.said) == (PushState.FAILED, True)


@pytest.mark.parametrize(
    ("determination", "findings", "told"),
    [
        ("malicious", None, "True Positive"),
        ("suspicious", None, "Noteworthy"),
        ("benign", "false_positive", "False Positive"),
        ("benign", "benign_true_positive", "Benign True Positive"),
    ],
)
def test_findings_are_told_in_their_words(
    here: Range, alert: Alert, determination: str, findings: str | None, told: str
) -> None:
    resolve(alert, determination, findings=findings)
    work()
    assert there(here) == ("Closed", told)


def test_claiming_and_reopening_are_told(here: Range, alert: Alert, admin: User) -> None:
    alerts.claim(Actor.of(admin), alert.pk)
    work()
    assert there(here) == ("In Progress", "No Findings")
    resolve(alert)
    alerts.reopen(Actor.of(admin), alert.pk, reason="again")
    work()
    assert there(here)[0] == "In Progress"
    # Resolving and reopening were told by one call, of the state as it was then.
    assert here.state["patched"] == 2


def test_nothing_is_told_where_the_setting_is_off(here: Range, alert: Alert) -> None:
    here.account.settings = {**here.account.settings, "push": False}
    here.account.save()
    resolve(alert)
    work()
    assert not AlertPush.objects.exists()
    assert there(here)[0] == "Open"


def test_a_setting_switched_off_stops_what_waits(here: Range, alert: Alert) -> None:
    resolve(alert)
    pushing.consider(TimelineEntry.objects.values_list("pk", flat=True))
    here.account.settings = {**here.account.settings, "push": False}
    here.account.save()
    pushing.send(AlertPush.objects.get().pk)
    assert there(here)[0] == "Open"


def test_alerts_of_other_sources_are_not_told(here: Range, alert: Alert) -> None:
    other = make_alert(source_ref="WB-1")
    alerts.resolve(Actor.system(), other.pk, determination="malicious", reason="x")
    work()
    assert not AlertPush.objects.exists()


def test_what_the_source_did_is_not_told_to_it(here: Range, alert: Alert) -> None:
    alert.source.close_on_resolved = True
    alert.source.save()
    later = (datetime.now(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    here.state["alerts"][REF] |= {"status": "Closed", "investigationResult": "Noteworthy", "updatedDateTime": later}
    taking.take(rules_of(alert.source), Item(here.state["alerts"][REF], REF, later))
    alert.refresh_from_db()
    assert alert.findings == "noteworthy"
    work()
    assert not AlertPush.objects.exists()


def test_it_does_not_go_round_in_circles(here: Range, alert: Alert) -> None:
    """What was told comes back with the next reading: a state at the source, no repeat, nothing more to tell."""
    resolve(alert)
    work()
    pull = AlertPull.objects.get()
    for _ in range(3):
        reading.pull(pull.pk)
        work()
    alert.refresh_from_db()
    assert (alert.count, alert.source_state) == (1, "Closed")
    assert here.state["patched"] == 1
    assert AlertPush.objects.count() == 1


def test_a_note_is_told_with_who_wrote_it(here: Range, alert: Alert, admin: User) -> None:
    alerts.comment(Actor.of(admin), alert.pk, "Looks like <b>Emotet</b>")
    work()
    (note,) = here.state["notes"][REF]
    assert note["content"].startswith("Ada Admin: Looks like <b>Emotet</b>\n[Soar ALR-")


def test_a_lost_answer_does_not_double_a_note(here: Range, alert: Alert, admin: User) -> None:
    here.fault("after")
    alerts.comment(Actor.of(admin), alert.pk, "One note")
    work()
    again()
    work()
    assert len(here.state["notes"][REF]) == 1
    assert AlertPush.objects.get().state == PushState.DONE


def test_a_note_of_which_a_worker_died_is_not_doubled(here: Range, alert: Alert, admin: User) -> None:
    alerts.comment(Actor.of(admin), alert.pk, "One note")
    work()
    past = timezone.now() - timedelta(minutes=10)
    AlertPush.objects.update(state=PushState.SENDING, lease="7" * 32, leased_until=past, due_at=past)
    pushing.ring()
    work()
    assert len(here.state["notes"][REF]) == 1


def test_a_very_long_note_is_cut(here: Range, alert: Alert, admin: User) -> None:
    alerts.comment(Actor.of(admin), alert.pk, "x" * 20_000)
    work()
    (note,) = here.state["notes"][REF]
    assert len(note["content"]) <= 4_000
    assert "…\n[Soar" in note["content"]


def test_two_workers_tell_it_once(here: Range, alert: Alert) -> None:
    resolve(alert)
    pushing.consider(TimelineEntry.objects.values_list("pk", flat=True))
    row = AlertPush.objects.get()
    AlertPush.objects.update(lease="7" * 32, leased_until=timezone.now() + timedelta(minutes=5))
    pushing.send(row.pk)
    assert there(here)[0] == "Open"
