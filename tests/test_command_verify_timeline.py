"""The timeline is evidence: the database refuses to change it, and what is changed behind its back is found."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from cases.actions import alerts, incidents
from cases.actors import Actor
from cases.models import Alert, Incident, TimelineEntry
from soar.accounts.models import User
from tests.factories import make_alert, make_incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def alert(analyst: User) -> Alert:
    """An alert with four entries: opened, two notes, severity."""
    alert, actor = make_alert("Beaconing"), Actor.of(analyst)
    alerts.comment(actor, alert.pk, "First note")
    alerts.comment(actor, alert.pk, "Second note")
    return alerts.set_severity(actor, alert.pk, "critical")


def verify(*args: str) -> tuple[int, str]:
    """The exit code and what was printed."""
    out = StringIO()
    try:
        call_command("verify_timeline", *args, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def tamper(sql: str, *params: str | int | None) -> None:
    """What somebody with the keys of the database may do: the guard is off for one statement."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases_timelineentry DISABLE TRIGGER USER")
        cursor.execute(sql, params)
        cursor.execute("ALTER TABLE cases_timelineentry ENABLE TRIGGER USER")


def entry(alert: Alert, number: int) -> TimelineEntry:
    """The alert's entry at this place, from 0."""
    return alert.timeline.order_by("pk")[number]


def test_untouched_chains_are_whole(alert: Alert) -> None:
    make_incident("Case", alert)
    code, out = verify()
    assert code == 0
    assert "of 2 alerts and incidents: every chain is whole" in out


def test_nothing_at_all_is_whole_too() -> None:
    assert verify()[0] == 0


@pytest.mark.parametrize(
    "change",
    [
        "text = 'Somebody else wrote this'",
        "actor_name = 'Somebody Else'",
        "actor_id = 4711",
        "kind = 'handoff'",
        """data = '{"author": "x"}'""",
        "occurred_at = occurred_at - interval '1 second'",
        "recorded_at = recorded_at - interval '1 microsecond'",
        "hash = decode(repeat('00', 32), 'hex')",
    ],
)
def test_a_changed_entry_is_found(alert: Alert, change: str) -> None:
    target = entry(alert, 1)
    tamper(f"UPDATE cases_timelineentry SET {change} WHERE id = %s", target.pk)
    code, out = verify()
    assert code == 1
    assert f"{alert.number}, entry {target.pk}: was changed" in out


def test_a_missing_entry_is_found(alert: Alert) -> None:
    gone, after = entry(alert, 1), entry(alert, 2)
    tamper("DELETE FROM cases_timelineentry WHERE id = %s", gone.pk)
    code, out = verify()
    assert code == 1
    assert f"entry {after.pk}: was changed, or what stood before it is missing" in out
    assert f"{alert.number}: 1 of 4 entries are missing" in out


def test_a_missing_first_entry_is_found(alert: Alert) -> None:
    tamper("DELETE FROM cases_timelineentry WHERE id = %s", entry(alert, 0).pk)
    assert verify()[0] == 1


def test_entries_in_another_order_are_found(alert: Alert) -> None:
    first, second = entry(alert, 1).pk, entry(alert, 2).pk
    tamper("UPDATE cases_timelineentry SET id = CASE id WHEN %s THEN -1 ELSE id END WHERE id = %s", first, first)
    tamper("UPDATE cases_timelineentry SET id = %s WHERE id = %s", first, second)
    tamper("UPDATE cases_timelineentry SET id = %s WHERE id = -1", second)
    code, out = verify()
    assert code == 1
    assert f"entry {first}:" in out
    assert f"entry {second}:" in out


def test_a_cut_tail_is_found_by_count_and_head(alert: Alert) -> None:
    tamper("DELETE FROM cases_timelineentry WHERE id >= %s", entry(alert, 2).pk)
    code, out = verify()
    assert code == 1
    assert f"{alert.number}: 2 of 4 entries are missing" in out
    assert f"{alert.number}: the last entry is not the one that was written last" in out


def test_a_chain_removed_as_a_whole_is_found(alert: Alert) -> None:
    tamper("DELETE FROM cases_timelineentry WHERE alert_id = %s", alert.pk)
    assert "4 of 4 entries are missing" in verify()[1]


def test_an_entry_put_in_by_hand_is_found(alert: Alert) -> None:
    tamper(
        "INSERT INTO cases_timelineentry (alert_id, kind, actor_type, actor_name, text, data, occurred_at,"
        " recorded_at, hash) VALUES (%s, 'comment', 'user', 'Mara', 'It was me', '{}', now(), now(), '\\x00')",
        alert.pk,
    )
    code, out = verify()
    assert code == 1
    assert "1 entries too many" in out


def test_an_entry_moved_to_another_alert_is_found(alert: Alert) -> None:
    other = make_alert("Other")
    tamper("UPDATE cases_timelineentry SET alert_id = %s WHERE id = %s", other.pk, entry(alert, 3).pk)
    out = verify()[1]
    assert f"{other.number}, entry" in out
    assert f"{alert.number}: 1 of 4 entries are missing" in out


def test_only_the_damaged_chain_is_named(alert: Alert) -> None:
    whole = make_alert("Whole")
    tamper("UPDATE cases_timelineentry SET text = 'x' WHERE id = %s", entry(alert, 1).pk)
    out = verify()[1]
    assert f"{whole.number}," not in out
    assert f"{whole.number}:" not in out


def test_one_incident_is_read_with_its_alerts(alert: Alert, analyst: User) -> None:
    incident = make_incident("Case", alert)
    incidents.comment(Actor.of(analyst), incident.pk, "In the case")
    other = make_alert("Other")
    tamper("UPDATE cases_timelineentry SET text = 'x' WHERE alert_id = %s", other.pk)
    assert verify("--incident", incident.number)[0] == 0
    tamper("UPDATE cases_timelineentry SET text = 'x' WHERE id = %s", entry(alert, 1).pk)
    assert verify("--incident", str(incident.pk))[0] == 1
    assert verify("--alert", alert.number)[0] == 1
    assert "in the case" not in verify("--alert", alert.number)[1].lower()


def test_a_number_that_is_not_there(alert: Alert) -> None:
    for args in (("--incident", "999"), ("--alert", "INC-1"), ("--alert", "x")):
        with pytest.raises(CommandError, match="There is no"):
            verify(*args)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE cases_timelineentry SET text = 'x'",
        "DELETE FROM cases_timelineentry",
        "TRUNCATE cases_timelineentry CASCADE",
    ],
)
def test_the_database_refuses_to_change_the_timeline(alert: Alert, sql: str) -> None:
    before = list(TimelineEntry.objects.order_by("pk").values_list("pk", "text"))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(TimelineEntry.objects.order_by("pk").values_list("pk", "text")) == before


def test_numbers_of_every_shape_keep_the_chain_whole(analyst: User) -> None:
    from cases import timeline

    incident: Incident = make_incident("Case")
    data = {"a": [1.5, 1e20, -0.0, 10**30, "1e5", None, True], "ключ": {"z": 1, "a": "é\u2028"}}
    with transaction.atomic():
        locked = Incident.objects.select_for_update().get(pk=incident.pk)
        timeline.record("changed", locked, Actor.of(analyst), data=data)
    assert verify()[0] == 0
