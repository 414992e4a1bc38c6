"""Several people and workers at the same rows at the same moment (casework.md 5, 7, 15; rulings 4).

Each test holds a row's lock until the others wait for it: the order is made, not hoped for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from cases.actions import alerts, incidents, links
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, IncidentStatus
from cases.errors import Conflict, Stale
from cases.models import Alert, Incident, TimelineEntry
from cases.verify import report_of_all
from soar.accounts.models import User
from tests.factories import make_alert, make_incident, make_user

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def held(*rows: Alert | Incident) -> Iterator[None]:
    """The rows are locked by this thread until the block ends."""
    with transaction.atomic():
        for row in rows:
            type(row)._default_manager.select_for_update().only("pk").get(pk=row.pk)
        yield


class Racers:
    """Runs each call in a thread with a connection of its own; ``waiting(n)`` returns when n wait for a lock."""

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.results: list[Any] = []
        self.errors: list[BaseException] = []

    def start(self, call: Callable[[], Any]) -> None:
        def run() -> None:
            try:
                self.results.append(call())
            except BaseException as error:
                self.errors.append(error)
            finally:
                connection.close()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def waiting(self, number: int) -> None:
        pause = threading.Event()
        for _ in range(500):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would stay as it was
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
                if cursor.fetchone()[0] >= number:
                    return
            pause.wait(0.02)
        raise AssertionError(f"{number} were to wait for a lock; errors: {self.errors}")

    def join(self) -> None:
        for thread in self.threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self.threads)


@pytest.fixture
def mara() -> User:
    return make_user("mara", "Analyst", first_name="Mara", last_name="Lindqvist")


@pytest.fixture
def priya() -> User:
    return make_user("priya", "Analyst", first_name="Priya", last_name="Raman")


def whole() -> None:
    """Every chain fits, and every incident counts the alerts that it has."""
    assert [str(finding) for finding in report_of_all().findings] == []
    for incident in Incident.objects.all():
        assert incident.alert_count == incident.alerts.count(), incident.number


def test_of_two_who_claim_at_once_the_second_is_told_from_whom(mara: User, priya: User) -> None:
    alert = make_alert("Contested")
    racers = Racers()
    with held(alert):
        racers.start(lambda: alerts.claim(Actor.of(mara), alert.pk))
        racers.waiting(1)
        racers.start(lambda: alerts.claim(Actor.of(priya), alert.pk))
        racers.waiting(2)
    racers.join()
    assert racers.errors == []
    first, second = TimelineEntry.objects.filter(alert=alert, kind="alert.claimed").order_by("pk")
    assert first.data["old"] is None
    assert second.data["old"] == first.data["new"] == first.actor_name
    assert second.data["new"] == second.actor_name
    owner = Alert.objects.get(pk=alert.pk).owner
    assert owner is not None
    assert owner.display_name() == second.actor_name
    whole()


def test_of_two_claims_with_the_version_that_both_saw_one_is_refused(mara: User, priya: User) -> None:
    alert = make_alert()
    racers = Racers()
    with held(alert):
        for user in (mara, priya):
            racers.start(partial(alerts.claim, Actor.of(user), alert.pk, expected_version=alert.version))
        racers.waiting(2)
    racers.join()
    assert len(racers.results) == 1
    (error,) = racers.errors
    assert isinstance(error, Stale)
    assert TimelineEntry.objects.filter(alert=alert, kind="alert.claimed").count() == 1
    whole()


def test_taking_the_owner_off_while_somebody_claims_is_not_lost(mara: User, priya: User) -> None:
    """The owner is read behind the lock: before it, nobody owned the alert, and there was nothing to take off."""
    alert = make_alert()
    racers = Racers()
    with held(alert):
        racers.start(lambda: alerts.claim(Actor.of(mara), alert.pk))
        racers.waiting(1)
        racers.start(lambda: alerts.assign(Actor.of(priya), alert.pk, owner=None))
        racers.waiting(2)
    racers.join()
    assert racers.errors == []
    last = TimelineEntry.objects.filter(alert=alert).order_by("-pk").first()
    assert last is not None
    after = Alert.objects.get(pk=alert.pk)
    if last.kind == "changed":
        assert after.owner is None
        assert last.data == {"field": "owner", "old": "Mara Lindqvist", "new": None}
    else:
        assert after.owner == mara
    whole()


def test_links_to_two_incidents_at_once_leave_the_alert_in_one(mara: User, priya: User) -> None:
    alert, one, other = make_alert(), make_incident("One"), make_incident("Other")
    racers = Racers()
    with held(alert):
        racers.start(lambda: links.link(Actor.of(mara), [alert.pk], one.pk))
        racers.start(lambda: links.link(Actor.of(priya), [alert.pk], other.pk))
        racers.waiting(2)
    racers.join()
    assert len(racers.results) == 1
    (error,) = racers.errors
    assert isinstance(error, Conflict)
    assert Alert.objects.get(pk=alert.pk).incident == racers.results[0]
    assert TimelineEntry.objects.filter(kind="incident.alert_linked").count() == 1
    whole()


def test_moves_to_two_incidents_at_once_do_not_wait_for_each_other(mara: User, priya: User) -> None:
    first, second = make_alert(), make_alert()
    one, other = make_incident("One", first), make_incident("Other", second)
    racers = Racers()
    with held(one, other):
        racers.start(lambda: links.link(Actor.of(mara), [first.pk], other.pk, move=True))
        racers.start(lambda: links.link(Actor.of(priya), [second.pk], one.pk, move=True))
        racers.start(lambda: incidents.open_incident(Actor.of(mara), title="Both", alerts=[first.pk], move=True))
        racers.waiting(3)
    racers.join()
    assert all(isinstance(error, Conflict) for error in racers.errors), racers.errors
    assert racers.results
    whole()


def test_an_incident_opened_from_an_alert_takes_its_locks_in_the_order_of_all_others(mara: User, priya: User) -> None:
    """Incidents first, then alerts. The other way round this one and the closing would wait for each other."""
    alert = make_alert()
    incident = make_incident("Old", alert, severity="high")
    racers = Racers()
    with held(incident):
        racers.start(lambda: incidents.open_incident(Actor.of(mara), title="New", alerts=[alert.pk], move=True))
        racers.waiting(1)
        with transaction.atomic():  # would not come back if the other held the alert while it waits
            Alert.objects.select_for_update(nowait=True).get(pk=alert.pk)
    racers.join()
    assert racers.errors == []
    assert Alert.objects.get(pk=alert.pk).incident == racers.results[0]
    whole()


def test_an_alert_linked_while_its_incident_is_resolved_is_either_resolved_or_linked_after(
    mara: User, priya: User
) -> None:
    inside, coming = make_alert(), make_alert()
    incident = make_incident("Closing", inside)
    racers = Racers()
    with held(incident):
        racers.start(lambda: incidents.set_status(Actor.of(mara), incident.pk, "resolved", determination="malicious"))
        racers.waiting(1)
        racers.start(lambda: links.link(Actor.of(priya), [coming.pk], incident.pk))
        racers.waiting(2)
    racers.join()
    assert racers.errors == []
    incident.refresh_from_db()
    assert incident.status == IncidentStatus.RESOLVED
    assert incident.alert_count == 2
    assert Alert.objects.get(pk=inside.pk).determination == Determination.MALICIOUS
    late = Alert.objects.get(pk=coming.pk)
    linked = TimelineEntry.objects.get(incident=incident, kind="incident.alert_linked")
    ended = TimelineEntry.objects.get(incident=incident, kind="changed", data__field="status")
    assert (late.status == AlertStatus.RESOLVED) == (linked.pk < ended.pk)
    whole()


def test_unlinking_twice_at_once_counts_once(mara: User, priya: User) -> None:
    alert = make_alert()
    incident = make_incident("One", alert)
    racers = Racers()
    with held(incident):
        for user in (mara, priya):
            racers.start(partial(links.unlink, Actor.of(user), [alert.pk]))
        racers.waiting(2)
    racers.join()
    assert len(racers.results) == len(racers.errors) == 1
    assert TimelineEntry.objects.filter(kind="incident.alert_unlinked").count() == 1
    whole()


def test_notes_written_at_once_stand_one_behind_the_other(mara: User, priya: User) -> None:
    alert, incident = make_alert(), make_incident("Busy")
    racers = Racers()
    with held(alert, incident):
        for n, user in enumerate((mara, priya, mara)):
            racers.start(partial(alerts.comment, Actor.of(user), alert.pk, f"On the alert {n}"))
            racers.start(partial(incidents.comment, Actor.of(user), incident.pk, f"On the incident {n}"))
        racers.waiting(6)
    racers.join()
    assert racers.errors == []
    assert TimelineEntry.objects.filter(alert=alert, kind="comment").count() == 3
    assert TimelineEntry.objects.filter(incident=incident, kind="comment").count() == 3
    whole()


def test_a_note_written_while_the_alert_is_linked_is_not_lost(mara: User, priya: User) -> None:
    alert, incident = make_alert(), make_incident("Case")
    racers = Racers()
    with held(alert):
        racers.start(lambda: alerts.comment(Actor.of(mara), alert.pk, "Seen on two hosts"))
        racers.start(lambda: links.link(Actor.of(priya), [alert.pk], incident.pk))
        racers.waiting(2)
    racers.join()
    moved = TimelineEntry.objects.filter(incident=incident, kind="note.moved", text="Seen on two hosts").exists()
    refused = [error for error in racers.errors if isinstance(error, Conflict)]
    assert moved != bool(refused)
    assert len(racers.errors) == len(refused)
    whole()


def test_a_form_that_is_older_than_the_alert_saves_nothing(mara: User, priya: User) -> None:
    alert = make_alert()
    seen = Alert.objects.get(pk=alert.pk).version
    alerts.set_severity(Actor.of(priya), alert.pk, "critical")
    with pytest.raises(Stale) as stale:
        alerts.update(Actor.of(mara), alert.pk, changes={"severity": "low", "tags": ["x"]}, expected_version=seen)
    assert stale.value.extra["current"].severity == 4
    after = Alert.objects.get(pk=alert.pk)
    assert (after.severity, after.tags) == (4, [])
    whole()
