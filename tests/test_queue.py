"""The queue: in the caller's transaction, at least once, in order, and nothing kept trying for ever."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django_q.signing import SignedPackage

from soar.lib import broker as brokers
from soar.lib import queue
from soar.lib.broker import Broker
from soar.lib.database import own_connection
from soar.lib.queue import enqueue, enqueue_many
from soar.models import QueuedTask
from soar.settings import LONG_TASKS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def broker() -> Broker:
    """A broker that listens to this test's database."""
    Broker._connection, Broker._long = None, {}
    return Broker("soar")


def work(broker: Broker) -> bool:
    """Take one task and run it as a worker does. False when there was none."""
    found = broker.dequeue()
    if not found:
        return False
    task = SignedPackage.loads(found[0][1])
    task["func"](*task["args"])
    return True


def at_once() -> None:
    """Make every task ready, as if its pause were over."""
    QueuedTask.objects.update(ready_at="2000-01-01T00:00Z")


def test_a_task_runs_once_and_is_gone(broker: Broker) -> None:
    enqueue("tests.tasks.mark", "once")
    assert work(broker)
    assert cache.get("once") == 1
    assert not QueuedTask.objects.exists()


def test_a_rolled_back_transaction_queues_nothing() -> None:
    with transaction.atomic():
        enqueue("tests.tasks.mark", "phantom")
        transaction.set_rollback(True)
    assert not QueuedTask.objects.exists()


def test_long_tasks_leave_a_worker_to_the_others(broker: Broker, settings: Any) -> None:
    """With two workers one long task runs at a time, however many wait, and what came later goes before the next."""
    settings.TASK_WORKERS, settings.LONG_TASKS = 2, ("tests.tasks.slow",)
    enqueue_many([("tests.tasks.slow", ("a",)), ("tests.tasks.slow", ("b",)), ("tests.tasks.mark", ("quick",))])
    first = broker.dequeue()
    assert first is not None
    assert work(broker) and cache.get("quick") == 1
    assert broker.dequeue() is None, "the other long one waits"
    task = SignedPackage.loads(first[0][1])
    task["func"](*task["args"])  # it ends
    assert work(broker) and cache.get("b") == 1
    assert not QueuedTask.objects.exists()


def test_a_long_task_whose_worker_died_holds_up_no_other(broker: Broker, settings: Any) -> None:
    settings.TASK_WORKERS, settings.LONG_TASKS = 2, ("tests.tasks.slow",)
    enqueue_many([("tests.tasks.slow", ("a",)), ("tests.tasks.slow", ("b",))])
    assert broker.dequeue() and broker.dequeue() is None
    at_once()  # its lock has run out
    assert work(broker) and work(broker)
    assert (cache.get("a"), cache.get("b")) == (1, 1)


def test_one_worker_takes_everything(broker: Broker, settings: Any) -> None:
    settings.TASK_WORKERS, settings.LONG_TASKS = 1, ("tests.tasks.slow",)
    enqueue_many([("tests.tasks.slow", ("a",)), ("tests.tasks.slow", ("b",))])
    assert work(broker) and work(broker)


@pytest.mark.parametrize("task", LONG_TASKS)
def test_what_is_called_long_is_a_task(task: str) -> None:
    assert callable(queue.function(task))


def test_first_in_first_out(broker: Broker) -> None:
    enqueue_many([("tests.tasks.mark", (f"n{number}",)) for number in range(3)])
    order = [SignedPackage.loads(broker.dequeue()[0][1])["args"][0] for _ in range(3)]  # type: ignore[index]
    assert [args for held in order for _row, _claim, args in held] == [["n0"], ["n1"], ["n2"]]


def test_a_claimed_task_is_not_given_twice(broker: Broker) -> None:
    enqueue("tests.tasks.mark", "claimed")
    assert broker.dequeue()
    assert broker.dequeue() is None


def test_a_lost_claim_is_delivered_again_and_the_late_one_does_nothing(broker: Broker) -> None:
    enqueue("tests.tasks.mark", "again")
    late = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
    at_once()
    second = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
    late["func"](*late["args"])
    assert cache.get("again") is None
    second["func"](*second["args"])
    assert cache.get("again") == 1


def test_a_failing_task_is_put_off_and_given_up_after_five_attempts(broker: Broker) -> None:
    enqueue("tests.tasks.fail", "bad")
    assert work(broker)
    assert not work(broker), "it waits before the next attempt"
    for _attempt in range(4):
        at_once()
        assert work(broker)
    at_once()
    assert not work(broker)
    kept = QueuedTask.objects.get()
    assert (kept.starts, kept.error) == (5, "ValueError: bad is not to be")
    assert kept.failed_at is not None
    assert cache.get("bad") == 5


def test_a_task_that_kills_its_worker_is_given_up(broker: Broker) -> None:
    enqueue("tests.tasks.die", "deadly")
    for _death in range(queue.MOST_STARTS):
        at_once()
        package = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
        assert queue._begin(package["args"][0])  # the worker dies right after
    at_once()
    assert broker.dequeue() is None
    kept = QueuedTask.objects.get()
    assert kept.failed_at
    assert kept.error == "Its worker died 5 times while it ran."


def test_a_name_outside_of_our_packages_is_never_called(broker: Broker) -> None:
    QueuedTask.objects.create(task="os.system", args=["true"])
    assert work(broker)
    assert QueuedTask.objects.get().error == "ValueError: 'os.system' is not a task of this portal."


def test_the_broker_lives_through_the_loss_of_its_connection(broker: Broker) -> None:
    broker.dequeue()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    enqueue("tests.tasks.mark", "after")
    assert any(work(broker) for _try in range(3))
    assert cache.get("after") == 1


def test_a_worker_lives_through_the_loss_of_its_connection(broker: Broker) -> None:
    enqueue("tests.tasks.mark", "healed")
    package = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
    with own_connection() as other:
        other.execute(
            "SELECT pg_terminate_backend(%s, 5000)",
            [connection.connection.info.backend_pid],
        )
    package["func"](*package["args"])
    assert cache.get("healed") == 1


@pytest.mark.parametrize("noticed", ["", "noticed"])
def test_what_lost_its_connection_runs_once_more(broker: Broker, noticed: str) -> None:
    """What it did may be forgotten by then: its commits do not all wait for the disk, because its row is there."""
    enqueue("tests.tasks.cut_off", "cut", noticed)
    assert work(broker)
    kept = QueuedTask.objects.get()
    assert (kept.starts, kept.failed_at) == (0, None) and "runs once more" in kept.error
    at_once()
    assert work(broker)
    assert cache.get("cut") == 2
    assert not QueuedTask.objects.exists()


@pytest.mark.parametrize("task", ["mark", "fail"])
def test_an_id_that_comes_again_after_a_crash_is_another_task(broker: Broker, task: str) -> None:
    """A row that a crash forgot may be under way; the next row then gets its id, and is claimed as often."""
    enqueue(f"tests.tasks.{task}", "forgotten")
    row = QueuedTask.objects.get()
    late = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
    row.delete()
    QueuedTask.objects.create(id=late["args"][0][0][0], task="tests.tasks.mark", args=["new"])
    found = broker.dequeue()
    late["func"](*late["args"])
    assert found and cache.get("forgotten") is None
    package = SignedPackage.loads(found[0][1])
    package["func"](*package["args"])
    assert cache.get("new") == 1
    assert not QueuedTask.objects.exists()


def test_who_lost_a_task_while_doing_it_leaves_it_to_the_next(broker: Broker) -> None:
    """Its lock ran out under way, and somebody else has the row: its end is not this one's to write."""
    enqueue("tests.tasks.taken_over", "over")
    assert work(broker)
    assert QueuedTask.objects.get().claim == 7


READERS_TASK = "tests.tasks.mark_all"


@pytest.fixture
def _joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "joined_tasks", lambda: [READERS_TASK])


@pytest.mark.usefixtures("_joined")
def test_waiting_rows_of_a_readers_task_are_one_call(broker: Broker) -> None:
    enqueue_many([(READERS_TASK, (f"j{number}", f"k{number}")) for number in range(brokers.MOST_JOINED + 1)])
    enqueue("tests.tasks.mark", "other")
    assert work(broker)
    assert QueuedTask.objects.count() == 2
    assert cache.get("j0") == cache.get(f"k{brokers.MOST_JOINED - 1}") == 1
    assert work(broker)
    assert work(broker)
    assert cache.get(f"j{brokers.MOST_JOINED}") == cache.get("other") == 1
    assert not QueuedTask.objects.exists()


@pytest.mark.usefixtures("_joined")
def test_one_bad_row_takes_no_others_along(broker: Broker) -> None:
    enqueue_many([(READERS_TASK, (name,)) for name in ("before", "bad", "after")])
    assert work(broker), "all three in one call, which fails"
    assert QueuedTask.objects.filter(starts=1).count() == 3
    at_once()
    for _row in range(3):
        assert work(broker)
    assert cache.get("after") == 1
    assert QueuedTask.objects.get().args == ["bad"]


@pytest.mark.usefixtures("_joined")
def test_of_a_late_joined_claim_only_the_rows_still_held_are_run(broker: Broker) -> None:
    enqueue_many([(READERS_TASK, ("mine",)), (READERS_TASK, ("theirs",))])
    late = SignedPackage.loads(broker.dequeue()[0][1])  # type: ignore[index]
    QueuedTask.objects.filter(args=["theirs"]).update(claim=2)
    late["func"](*late["args"])
    assert (cache.get("mine"), cache.get("theirs")) == (1, None)
    assert QueuedTask.objects.get().args == ["theirs"]
