"""A run begins and ends in one statement each, also when somebody else writes to the timeline while it waits for the
lock of its alert: nothing is lost of it (rulings 6, 14)."""

from __future__ import annotations

import pytest
from django.db import transaction

from cases.actions import alerts
from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from cases.verify import report_of_all
from playbooks import claims, engine, tasks
from playbooks.actions import run_by_hand
from playbooks.models import Run
from tests.factories import make_alert
from tests.playbook_files import Folder, folder
from tests.test_concurrency import Racers

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()


@pytest.fixture
def looking(folder: Folder) -> None:
    """A playbook that is started by every alert."""
    folder.load('@playbook(trigger="webhook")\nasync def look(alert):\n    return {"seen": alert["title"]}\n')


def kinds(alert: Alert) -> list[str]:
    """Of the alert's timeline, in order."""
    return list(alert.timeline.order_by("pk").values_list("kind", flat=True))


def test_it_begins(looking: None) -> None:
    alert = make_alert()
    opened = TimelineEntry.objects.get(alert=alert, kind="alert.opened").pk
    racers = Racers()
    with transaction.atomic():
        alerts.comment(SYSTEM, alert.pk, "Meanwhile")
        racers.start(lambda: tasks.consider(opened))
        racers.waiting(1)
    racers.join()
    assert not racers.errors
    run = Run.objects.get()
    assert (run.status, run.attempts) == ("successful", 1)
    assert kinds(alert) == ["alert.opened", "comment", "run.started", "run.finished"]
    assert report_of_all().findings == []


def test_it_ends(looking: None) -> None:
    alert = make_alert()
    held = claims.claim(run_by_hand(SYSTEM, "look", alert=alert).pk)
    assert held is not None
    outcome = engine.perform(held)
    racers = Racers()
    with transaction.atomic():
        alerts.comment(SYSTEM, alert.pk, "Meanwhile")
        racers.start(lambda: claims.finish(held, outcome))
        racers.waiting(1)
    racers.join()
    assert not racers.errors
    assert Run.objects.get().status == "successful"
    assert kinds(alert)[-2:] == ["comment", "run.finished"]
    assert report_of_all().findings == []
