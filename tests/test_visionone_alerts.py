"""Reading alerts from Vision One: none skipped, none twice, whatever comes late, often or in the wrong order."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from cases.actions import pulls
from cases.actions.alerts import resolve
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.errors import Forbidden, Missing, Refused
from cases.models import Alert, AlertPull, AlertSource, PulledAlert, TimelineEntry
from cases.pulls import connecting, reading, taking, tidying
from cases.purge import purge
from soar.accounts.models import User
from soar.connectors.base import ConnectorError
from soar.connectors.models import Attempt
from soar.connectors.reader import Item
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice
from tests.factories import make_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}) as found:
        yield found


@pytest.fixture
def row(here: Range) -> AlertPull:
    source = make_source("Vision One", kind="visionone")
    return pulls.set_pull(Actor.system(), source.slug, account=here.account.name)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def moment(minutes: float) -> str:
    """So many minutes ago, as Vision One writes it."""
    return (now() - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def put(here: Range, number: int, minutes: float, **more: Any) -> dict[str, Any]:
    """An alert at the product, made so many minutes ago."""
    alert = {
        "id": f"WB-{number}", "model": f"Model {number}", "severity": "high", "score": 60, "status": "Open",
        "createdDateTime": moment(minutes), "updatedDateTime": moment(minutes), "indicators": [],
        "impactScope": {"entities": []}, **more,
    }  # fmt: skip
    here.state["alerts"][alert["id"]] = alert
    return alert


def read(row: AlertPull) -> AlertPull:
    reading.pull(row.pk)
    row.refresh_from_db()
    return row


def refs() -> list[str]:
    return sorted(Alert.objects.values_list("source_ref", flat=True))


@pytest.mark.parametrize(
    ("fault", "words"), [("401", "expired"), ("html", "HTML page"), ("429", "too many"), ("garbage", "whole answer")]
)
def test_what_goes_wrong_is_kept_with_the_source_and_tried_again(
    here: Range, row: AlertPull, fault: str, words: str
) -> None:
    put(here, 1, 5)
    here.fault(fault, times=9)
    read(row)
    assert words in row.last_error
    assert (row.failures, row.read_until, row.last_ok_at) == (1, None, None)
    assert row.due_at > now()
    here.standin._faults.clear()
    read(row)
    assert (row.last_error, row.failures, refs()) == ("", 0, ["WB-1"])


def test_a_failure_in_the_middle_skips_nothing(here: Range, row: AlertPull) -> None:
    here.state["page"] = 5
    for number in range(12):
        put(here, number, 30 - number)
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == 2:  # the second page is the last good one
            here.fault("html", times=3)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    read(row)
    assert row.last_error and row.read_until is None
    assert len(refs()) == 10
    here.standin._faults.clear()
    read(row)
    assert len(refs()) == 12
    assert set(Alert.objects.values_list("count", flat=True)) == {1}


def test_a_disabled_connector_is_said(here: Range, row: AlertPull) -> None:
    here.account.enabled = False
    here.account.save()
    assert "disabled" in read(row).last_error


def test_a_connector_that_is_gone_is_said(here: Range, row: AlertPull) -> None:
    here.account.delete()
    row.refresh_from_db()
    assert "gone" in read(row).last_error


def test_alerts_come_once_and_in_full(here: Range, row: AlertPull) -> None:
    for number in range(25):
        put(here, number, 60 - number)
    read(row)
    read(row)
    read(row)
    assert len(refs()) == 25
    assert set(Alert.objects.values_list("count", flat=True)) == {1}
    assert row.source.alerts.get(source_ref="WB-3").detection_model == "Model 3"
    row.source.refresh_from_db()
    assert (row.source.accepted, row.source.repeats) == (25, 0)


def test_what_comes_late_with_an_early_time_is_not_skipped(here: Range, row: AlertPull) -> None:
    put(here, 1, 30)
    read(row)
    put(here, 2, 10)  # within the overlap
    put(here, 3, 120, updatedDateTime=moment(0.1))  # made long ago, shown only now
    read(row)
    assert refs() == ["WB-1", "WB-2", "WB-3"]


def test_the_first_reading_begins_where_it_was_told(here: Range, row: AlertPull) -> None:
    put(here, 1, 60 * 30)
    put(here, 2, 60 * 20)
    read(row)
    assert refs() == ["WB-2"]


def test_a_long_silence_is_caught_up_day_by_day(here: Range, row: AlertPull) -> None:
    row.read_until = now() - timedelta(days=5)
    row.save()
    for day in range(5):
        put(here, day, 60 * 24 * day + 60)
    read(row)
    assert len(refs()) == 5
    assert row.read_until is not None and row.read_until > now() - timedelta(minutes=1)


def test_a_clock_that_is_ahead_does_not_move_beyond_the_product(here: Range, row: AlertPull) -> None:
    from soar.lib import clock

    with clock.at(now() + timedelta(hours=3)):
        read(row)
    assert row.read_until is not None and row.read_until <= datetime.now(UTC) + timedelta(seconds=2)
    put(here, 1, -0.05)
    with clock.at(now() + timedelta(hours=3)):
        read(row)
    assert refs() == ["WB-1"]


def test_two_workers_do_not_read_at_once(here: Range, row: AlertPull) -> None:
    put(here, 1, 5)
    AlertPull.objects.filter(pk=row.pk).update(lease="7" * 32, leased_until=now() + timedelta(hours=1))
    read(row)
    assert refs() == []
    AlertPull.objects.filter(pk=row.pk).update(leased_until=now() - timedelta(seconds=1))
    assert refs() == [] and read(row) and refs() == ["WB-1"]


@pytest.mark.django_db(transaction=True)
def test_one_alert_taken_by_two_at_once_is_one(here: Range, row: AlertPull) -> None:
    from cases.ingest.pipeline import rules_of

    item = put(here, 1, 5)
    rules, said = rules_of(row.source), []

    def work() -> None:
        try:
            said.append(taking.take(rules, Item(item, "WB-1", moment(5))))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, said)) == [False, False, False, True]
    assert Alert.objects.get().count == 1


def test_a_change_there_is_noted_and_counts_no_repeat(here: Range, row: AlertPull) -> None:
    put(here, 1, 30)
    read(row)
    put(here, 1, 30, status="In Progress", updatedDateTime=moment(1))
    read(row)
    alert = Alert.objects.get()
    assert (alert.count, alert.source_state, alert.status) == (1, "In Progress", AlertStatus.NEW)
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.source_state").count() == 1


def test_two_changes_within_one_second_are_both_seen(here: Range, row: AlertPull) -> None:
    put(here, 1, 30)
    read(row)
    for status in ("In Progress", "Closed"):
        put(here, 1, 30, status=status, updatedDateTime=moment(1))
        read(row)
    assert Alert.objects.get().source_state == "Closed"


def test_an_older_state_does_not_come_over_a_newer_one(here: Range, row: AlertPull) -> None:
    put(here, 1, 30, status="Closed", updatedDateTime=moment(1))
    read(row)
    put(here, 1, 30, status="Open", updatedDateTime=moment(2))
    read(row)
    assert Alert.objects.get().source_state == "Closed"


@pytest.mark.parametrize("text", ["", "x", "2026-13-45T99:99:99Z", "2026-01-01T00:00:00"])
def test_times_that_cannot_be_read_count_as_changed(text: str) -> None:
    assert taking.newer("2026-01-01T00:00:00Z a", f"{text} a")
    assert not taking.newer(text, text)


@pytest.mark.parametrize("follows", [True, False])
def test_closed_there_is_resolved_here_where_the_source_is_set_so(here: Range, row: AlertPull, follows: bool) -> None:
    AlertSource.objects.update(close_on_resolved=follows)
    put(here, 1, 30)
    read(row)
    put(here, 1, 30, status="Closed", investigationResult="True Positive", updatedDateTime=moment(1))
    read(row)
    alert = Alert.objects.get()
    assert (alert.status == AlertStatus.RESOLVED) is follows
    assert (alert.findings == "true_positive") is follows


def test_a_change_there_does_not_reopen_what_is_resolved_here(here: Range, row: AlertPull, responder: User) -> None:
    put(here, 1, 30)
    read(row)
    alert = Alert.objects.get()
    resolve(Actor.system(), alert.pk, determination="malicious", reason="done")
    put(here, 1, 30, status="In Progress", updatedDateTime=moment(1))
    read(row)
    alert.refresh_from_db()
    assert (alert.status, alert.count) == (AlertStatus.RESOLVED, 1)


def test_what_was_sent_by_webhook_too_is_one_alert(here: Range, row: AlertPull) -> None:
    import json

    from cases.ingest.pipeline import receive, rules_of

    item = put(here, 1, 5)
    receive(rules_of(row.source), json.dumps(item).encode(), "application/json")
    read(row)
    assert Alert.objects.get().count == 1


def test_a_purged_alert_does_not_come_again(here: Range, row: AlertPull) -> None:
    put(here, 1, 5)
    read(row)
    purge(None, alerts=[Alert.objects.get().pk], reason="test")
    put(here, 1, 5, updatedDateTime=moment(0.1))
    read(row)
    assert refs() == []
    assert PulledAlert.objects.get().alert_id is None


def test_what_cannot_be_taken_is_counted_once_and_holds_nothing_up(here: Range, row: AlertPull) -> None:
    put(here, 1, 5, **{f"field {number}": "x" * 50 for number in range(25_000)})
    here.state["alerts"]["no id"] = {"createdDateTime": moment(4), "updatedDateTime": moment(4)}
    put(here, 2, 3)
    read(row)
    read(row)
    assert refs() == ["WB-2"]
    row.source.refresh_from_db()
    assert (row.source.accepted, row.source.refused) == (1, 1)
    assert row.source.last_error


def test_only_what_is_due_is_rung_for(here: Range, row: AlertPull) -> None:
    def queued() -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM soar_queue WHERE task = 'cases.tasks.pull'")
            return int(cursor.fetchone()[0])

    reading.ring()
    reading.ring()
    assert queued() == 1
    AlertPull.objects.update(due_at=now() - timedelta(seconds=1), enabled=False)
    reading.ring()
    assert queued() == 1


def test_reading_all_day_long_leaves_little_behind(here: Range, row: AlertPull) -> None:
    put(here, 1, 5)
    read(row)
    assert {one["body"] for one in Attempt.objects.values_list("response", flat=True) if one} == {None}
    here.fault("html", times=9)
    read(row)
    assert Attempt.objects.get(status="unsuccessful").response is not None  # what went wrong is kept in full
    tidying.tidy()
    assert Attempt.objects.count() == 3
    Attempt.objects.update(started_at=now() - timedelta(days=2))
    tidying.tidy()
    assert list(Attempt.objects.values_list("status", flat=True)) == ["unsuccessful"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"account": "nobody"}, "account"),
        ({"every_seconds": 5}, "every_seconds"),
        ({"look_back_hours": -1}, "look_back_hours"),
    ],
)
def test_bad_settings_are_refused_beside_their_field(
    here: Range, row: AlertPull, given: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as caught:
        pulls.set_pull(Actor.system(), row.source.slug, **{"account": here.account.name, **given})
    assert caught.value.field == field


def test_a_source_that_is_sent_to_us_is_not_read(here: Range) -> None:
    source = make_source(kind="wazuh")
    with pytest.raises(Refused):
        pulls.set_pull(Actor.system(), source.slug, account=here.account.name)


def test_who_does_not_manage_sources_sets_nothing(here: Range, row: AlertPull, analyst: User) -> None:
    with pytest.raises((Forbidden, Missing)):
        pulls.set_pull(Actor.of(analyst), row.source.slug, account=here.account.name)


def test_another_connector_begins_anew(here: Range, row: AlertPull) -> None:
    read(row)
    with practice(VisionOne(), {"token": "another-key-1234"}, name="other") as other:
        changed = pulls.set_pull(Actor.system(), row.source.slug, account=other.account.name)
        assert changed.read_until is None


def test_what_is_no_desk_cannot_be_read(here: Range, row: AlertPull) -> None:
    here.account.kind = "http"
    here.account.save()
    row.refresh_from_db()
    with pytest.raises(ConnectorError, match="no alerts"):
        connecting.reader_of(row)
