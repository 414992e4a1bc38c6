"""A rule that is changed while 16 clients post, and one that is changed by two people: nothing is lost or half done."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from cases.actions import suppression
from cases.errors import CaseError
from cases.models import Alert, SuppressionRule, TimelineEntry
from soar.models import QueuedTask
from tests.factories import make_source
from tests.test_suppression_ingest import SYSTEM, item, make_rule, send

CLIENTS, EACH = 16, 6


def run(*targets: object) -> None:
    """All at once, to their end."""
    threads = [threading.Thread(target=target) for target in targets]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
def test_rules_change_while_16_clients_post() -> None:
    source, rule = make_source(), make_rule()
    statuses: list[int] = []

    def client(number: int) -> None:
        for n in range(EACH):
            statuses.append(send(source, item(id=f"{number}-{n}"))[0].status)
        connection.close()

    def editor() -> None:
        for n in range(10):
            suppression.update(SYSTEM, rule.pk, changes={"enabled": bool(n % 2), "reason": f"reason {n}"})
        suppression.end(SYSTEM, rule.pk)
        suppression.delete(SYSTEM, make_rule(expires_at=timezone.now() + timedelta(hours=1), enabled=False).pk)
        connection.close()

    run(editor, *[lambda number=number: client(number) for number in range(CLIENTS)])
    assert statuses == [201] * (CLIENTS * EACH)
    held = Alert.objects.filter(suppression=rule)
    opened = TimelineEntry.objects.filter(kind="alert.opened")
    assert opened.count() == Alert.objects.count() == CLIENTS * EACH
    named = opened.filter(data__suppression__rule=rule.pk).values_list("alert_id", flat=True)
    assert set(named) == set(held.values_list("pk", flat=True))
    asked = QueuedTask.objects.filter(task="playbooks.tasks.consider").count()
    assert asked == CLIENTS * EACH - held.count()
    rule.refresh_from_db()
    assert rule.held == held.count()
    assert send(source, item(id="after"))[0].id not in set(
        Alert.objects.filter(suppression=rule).values_list("pk", flat=True)
    )


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_told() -> None:
    rule, told = make_rule(), []

    def save(name: str) -> None:
        try:
            suppression.update(SYSTEM, rule.pk, changes={"name": name}, expected_version=1)
        except CaseError as error:
            told.append(error.status)
        connection.close()

    run(lambda: save("One"), lambda: save("Two"))
    assert told == [412]
    assert SuppressionRule.objects.get().version == 2
