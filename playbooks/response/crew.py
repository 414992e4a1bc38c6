"""The hands of a worker process: a few threads that perform tasks, so that a slow product holds up no other.

They are made when there is something to do and stay for long, each with a database connection of its own: to open one
takes longer than most calls. A thread that is at work when its process ends is waited for, those that are idle go; one
that is killed is followed when its lease runs out."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from typing import ClassVar

from django.conf import settings
from django.db import connection

from playbooks.claims import new_owner
from playbooks.response import performing, tasks
from playbooks.response.tasks import Claimed
from soar.lib.context import caused_by, doing
from soar.lib.database import AWAY, drop_dead_connection, forget_connection

logger = logging.getLogger(__name__)
HANDS = 8
FOR_ONE_ACCOUNT = 4  # of them, so that others are served too
IDLE = 600.0  # seconds that a hand waits for more
BETWEEN_LOOKS = 0.25


class Crew:
    """The threads of this process. A ticket is an invitation to look for work; who finds some invites another."""

    _lock: ClassVar[threading.Condition] = threading.Condition()
    _hands: ClassVar[int] = 0
    _idle: ClassVar[int] = 0
    _tickets: ClassVar[int] = 0
    _held: ClassVar[dict[int, Claimed]] = {}
    _keeper: ClassVar[threading.Thread | None] = None
    _dismissed: ClassVar[bool] = False

    @classmethod
    def work(cls, seconds: float) -> None:
        """Have all that is due done, and wait for it. Returns when nothing is left, or after ``seconds``."""
        cls.invite()
        end = time.monotonic() + seconds
        with cls._lock:
            while (cls._tickets or cls._hands > cls._idle) and (left := end - time.monotonic()) > 0:
                cls._lock.wait(left)

    @classmethod
    def is_busy(cls) -> bool:
        """Whether anybody of this process works, or is about to."""
        with cls._lock:
            return bool(cls._tickets) or cls._hands > cls._idle

    @classmethod
    def rest(cls) -> None:
        """Send all threads away and wait until they have ended what they do."""
        with cls._lock:
            cls._dismissed = True
            cls._lock.notify_all()
            while cls._hands:
                cls._lock.wait()
            cls._dismissed, cls._tickets = False, 0

    @classmethod
    def invite(cls) -> None:
        """Have somebody look for work. Returns at once."""
        with cls._lock:
            if cls._tickets >= HANDS:
                return
            cls._tickets += 1
            if cls._idle < cls._tickets and cls._hands < HANDS:
                cls._hands += 1
                threading.Thread(target=cls._hand, name="response").start()
            if cls._keeper is None or not cls._keeper.is_alive():
                cls._keeper = threading.Thread(target=cls._keep, name="response-leases", daemon=True)
                cls._keeper.start()
            cls._lock.notify_all()

    @classmethod
    def _hand(cls) -> None:
        """One thread: look for work when invited, go when nobody has asked for a while."""
        try:
            while cls._invited():
                cls._look()
        finally:
            with cls._lock:
                cls._hands -= 1
                cls._lock.notify_all()
            connection.close()

    @classmethod
    def _invited(cls) -> bool:
        with cls._lock:
            cls._idle += 1
            cls._lock.notify_all()
            cls._lock.wait_for(lambda: cls._tickets > 0 or cls._is_over(), IDLE)
            cls._idle -= 1
            if not cls._tickets or not _going_on():
                return False
            cls._tickets -= 1
            return True

    @classmethod
    def _is_over(cls) -> bool:
        return cls._dismissed or not _going_on()

    @classmethod
    def _look(cls) -> None:
        """Do all that is due."""
        try:
            drop_dead_connection()
            while (held := cls._claim()) is not None:
                cls.invite()
                cls._perform(held)
        except AWAY as error:
            forget_connection()
            logger.warning("The database went away under a response task: %s", error)

    @classmethod
    def _claim(cls) -> Claimed | None:
        if not _going_on():
            return None
        with cls._lock:
            counts = Counter(one.task.account_id for one in cls._held.values())
        busy = [pk for pk, number in counts.items() if pk is not None and number >= FOR_ONE_ACCOUNT]
        return tasks.claim(new_owner(), busy=busy)

    @classmethod
    def _perform(cls, held: Claimed) -> None:
        with cls._lock:
            cls._held[held.task.pk] = held
        try:
            with doing(f"response-{held.task.pk}"), caused_by(held.task.cause):
                cls._kept_going(held)
        finally:
            with cls._lock:
                cls._held.pop(held.task.pk, None)

    @staticmethod
    def _kept_going(held: Claimed) -> None:
        try:
            performing.perform(held)
        except AWAY:
            raise
        except Exception:  # the lease runs out, and the task is taken over: nothing is lost
            logger.exception("Task %s failed", held.task.pk)

    @classmethod
    def _keep(cls) -> None:
        """Renew the leases of tasks that last; costs nothing while they are short. Ends the threads with the process:
        it goes on a little after the main thread, they would hold it up."""
        last: dict[int, float] = {}
        while True:
            time.sleep(min(settings.LEASE_SECONDS / 12, BETWEEN_LOOKS))
            now, every = time.monotonic(), settings.LEASE_SECONDS / 3
            with cls._lock:
                held = dict(cls._held)
                if not _going_on():
                    cls._lock.notify_all()
            last = {pk: last.get(pk, now) for pk in held}
            due = [held[pk] for pk, since in last.items() if now - since >= every]
            if due:
                _renew(due)
                last |= {one.task.pk: now for one in due}


def _renew(due: list[Claimed]) -> None:
    try:
        tasks.renew(due)
    except AWAY as error:
        forget_connection()
        logger.warning("Leases of response tasks could not be renewed: %s", error)
    finally:
        connection.close()


def _going_on() -> bool:
    """Whether this process is to take more work: not once its main thread has ended."""
    return threading.main_thread().is_alive()
