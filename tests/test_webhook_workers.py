"""Workers of outgoing webhooks: killed in the middle of a call, several at once, a slow receiver beside a quick one."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from cases import tasks
from cases.actions import webhooks as actions
from cases.actors import Actor
from cases.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from cases.webhooks import considering, holding
from soar.accounts.models import User
from soar.lib import clock
from tests.connector_server import Product
from tests.factories import make_alert
from tests.playbook_files import _environment, until
from tests.webhook_tools import endpoint_to, ids, receiver, run, status

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def slow() -> Iterator[tuple[Product, threading.Event]]:
    """A receiver that answers nobody until it is told to."""
    product, go = Product(), threading.Event()
    product.replies = [status(200)]

    def held() -> None:
        go.wait(60)

    product.on_request = held
    yield product, go
    go.set()
    product.stop()


def written(*titles: str) -> None:
    """Alerts whose entries are deliveries, not sent yet."""
    entries = [make_alert(title).timeline.get().pk for title in titles]
    considering.consider(entries)


def at_once(*calls: Callable[[], Any]) -> list[threading.Thread]:
    """Each in a thread with a connection of its own."""

    def one(call: Callable[[], Any]) -> None:
        try:
            call()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=one, args=(call,), daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def test_a_killed_worker_loses_nothing_and_the_id_stays(admin: User, slow: tuple[Product, threading.Event]) -> None:
    product, go = slow
    endpoint, _ = endpoint_to(product, admin)
    written("Beacon")
    code = f"import django; django.setup()\nfrom cases import tasks\ntasks.webhooks_send({endpoint.pk})"
    worker = subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])
    try:
        until(lambda: product.seen, 60)
        assert worker.poll() is None, "it was over before it could be killed"
    finally:
        worker.kill()
        worker.wait()
    go.set()
    tasks.webhooks_due()
    run()
    assert len(product.seen) == 1, "its lease has not run out"
    past = timezone.now() - timedelta(seconds=1)
    WebhookEndpoint.objects.update(leased_until=past)
    WebhookDelivery.objects.update(due_at=past)
    tasks.webhooks_due()
    run()
    assert WebhookDelivery.objects.get().state == "delivered"
    assert len(ids(product)) == 2 and len(set(ids(product))) == 1
    assert sorted(WebhookAttempt.objects.values_list("status", flat=True), key=str) == [200, None]


@pytest.mark.parametrize("seconds", [-120, 120])
def test_a_worker_whose_clock_is_off_takes_nothing_that_is_held(admin: User, receiver: Product, seconds: int) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    written("Beacon")
    lease = holding.take(endpoint.pk)
    assert lease
    with clock.at(clock.now() + timedelta(seconds=seconds)):
        assert holding.take(endpoint.pk) is None
        tasks.webhooks_due()
        run()
    assert receiver.seen == []
    holding.let_go(endpoint.pk, lease)
    tasks.webhooks_due()
    run()
    assert len(ids(receiver)) == 1


def test_many_workers_send_each_entry_once(admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    written(*(f"Alert {n}" for n in range(12)))
    for thread in at_once(*[lambda: tasks.webhooks_send(endpoint.pk)] * 6):
        thread.join(60)
    run()
    assert len(ids(receiver)) == 12 == len(set(ids(receiver)))
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_considered_by_many_at_once_it_is_written_once(admin: User, receiver: Product) -> None:
    endpoint_to(receiver, admin)
    entries = [make_alert(f"Alert {n}").timeline.get().pk for n in range(5)]
    for thread in at_once(*[lambda: considering.consider(entries)] * 6):
        thread.join(60)
    assert WebhookDelivery.objects.count() == 5


def test_a_slow_receiver_holds_no_other_and_not_all_workers(
    admin: User, receiver: Product, slow: tuple[Product, threading.Event], settings: Any
) -> None:
    settings.TASK_WORKERS, settings.WEBHOOK_SECONDS = 2, 60
    first, go = slow
    one, _ = endpoint_to(first, admin, name="Slow")
    two, _ = endpoint_to(first, admin, name="Slow too")
    quick, _ = endpoint_to(receiver, admin, name="Quick")
    WebhookEndpoint.objects.exclude(pk=quick.pk).update(last_ms=holding.SLOW + 1)
    written("Beacon")
    [thread] = at_once(lambda: tasks.webhooks_send(one.pk))
    until(lambda: len(first.seen) == 1)
    tasks.webhooks_send(two.pk)
    assert len(first.seen) == 1, "half of the workers are busy with slow ones"
    tasks.webhooks_send(quick.pk)
    assert len(receiver.seen) == 1
    go.set()
    thread.join(60)
    tasks.webhooks_send(two.pk)
    assert len(first.seen) == 2


def test_switched_off_during_the_call_its_answer_still_counts(
    admin: User, slow: tuple[Product, threading.Event], settings: Any
) -> None:
    settings.WEBHOOK_SECONDS = 60
    product, go = slow
    endpoint, _ = endpoint_to(product, admin)
    written("Beacon", "Another")
    [thread] = at_once(lambda: tasks.webhooks_send(endpoint.pk))
    until(lambda: product.seen)
    actions.update(Actor.of(admin), endpoint.pk, changes={"enabled": False})
    go.set()
    thread.join(60)
    states = list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["delivered", "failed"] and len(product.seen) == 1
