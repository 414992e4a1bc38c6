"""What is read from the timeline is what was written (casework.md 13 to 15, rulings 5, 14)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from cases import timeline, timeline_read
from cases.actions import alerts, incidents, notes
from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from cases.verify import report_of_alert
from soar.accounts.models import User
from tests.factories import make_alert

pytestmark = pytest.mark.django_db
ODD: list[Any] = [
    0.1, 1e-7, 1.5e300, 1e20, -0.0, 2**63, 10**40, -(2**70), 123456789.123456789, True, None,
    "Größe 東京 😀 \u2028 \x7f", "\\u0041 \" / \t", {"b": 1, "a": {"ä": [1.0, 2.50]}, "": ""}, [[], {}], 1e16, 5e-324,
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=repr)
def test_the_hash_survives_the_way_through_the_database(value: Any) -> None:
    alert = make_alert()
    with transaction.atomic():
        locked = Alert.objects.select_for_update().get(pk=alert.pk)
        timeline.record("changed", locked, Actor.system(), text="ä😀\r\n", data={"field": "x", "new": value})
    assert [str(finding) for finding in report_of_alert(Alert.objects.get(pk=alert.pk)).findings] == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases_timelineentry SET text = 'x'",
        "UPDATE cases_timelineentry SET id = id + 1000000",
        "DELETE FROM cases_timelineentry",
        "TRUNCATE cases_timelineentry CASCADE",
        "DELETE FROM cases_alert",
        "INSERT INTO cases_timelineentry SELECT * FROM cases_timelineentry LIMIT 1 "
        "ON CONFLICT (id) DO UPDATE SET text = 'x'",
    ],
)
def test_the_database_refuses_every_way_of_changing_it(statement: str) -> None:
    make_alert()
    before = TimelineEntry.objects.count()
    refused = pytest.raises(DatabaseError, match=r"append-only|violates foreign key")
    with connection.cursor() as cursor, refused, transaction.atomic():
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement)
    assert TimelineEntry.objects.count() == before


def test_a_note_corrected_after_it_moved_is_read_corrected_on_the_incident(analyst: User) -> None:
    actor, alert = Actor.of(analyst), make_alert()
    note = alerts.comment(actor, alert.pk, "Frist")
    notes.edit_comment(actor, note.pk, "First")
    incident = incidents.escalate(actor, alert.pk)
    notes.edit_comment(actor, note.pk, "First, corrected later")
    entries, _ = timeline_read.page_of(timeline_read.entries_of_incident(incident), group="notes")
    (view,) = entries
    assert (view.text, view.revisions) == ("First, corrected later", ["First"])
