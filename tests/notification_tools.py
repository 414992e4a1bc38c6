"""Notifications in tests: the part of worker and scheduler, stand-ins of mail and chat, the inbox of a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
from django.db import connection
from django.utils import timezone

from cases import tasks
from cases.models import Notification, NotificationDelivery, TimelineEntry
from cases.notifications import inbox, wording
from soar.accounts.models import User
from soar.connectors.actions import create_account
from soar.standins.server import Server
from soar.standins.smtp import Smtp

OURS = "cases.tasks.notifications_"


def run() -> int:
    """Run what is queued for notifications until nothing is. Returns how many tasks that were."""
    for done in range(2000):
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM soar_queue WHERE id = (SELECT min(id) FROM soar_queue WHERE task LIKE %s)"
                " RETURNING task, args::text",
                [OURS + "%"],
            )
            row = cursor.fetchone()
        if row is None:
            return done
        getattr(tasks, row[0].rpartition(".")[2])(*json.loads(row[1]))
    raise AssertionError("the queue never ends")


def again() -> None:
    """All entries once more, as after a crash of the worker."""
    tasks.notifications_consider(*TimelineEntry.objects.order_by("pk").values_list("pk", flat=True))
    run()


def later(**fields: Any) -> None:
    """The time of what waits has come."""
    past = timezone.now() - timedelta(seconds=1)
    NotificationDelivery.objects.filter(finished_at=None, **fields).update(due_at=past)
    tasks.notifications_due()
    run()


def told(user: User) -> list[tuple[str, str]]:
    """The person's inbox, oldest first: reason and sentence."""
    rows = list(inbox.listed(fresh(user)).order_by("pk"))
    return [(line.row.reason, line.sentence) for line in wording.lines(fresh(user), rows)]


def reasons(user: User) -> list[str]:
    """Why the person was told, oldest first, seen or not."""
    return list(Notification.objects.filter(user=user, listed=True).order_by("pk").values_list("reason", flat=True))


def fresh(user: User) -> User:
    """The person as the next request would read them."""
    return User.objects.get(pk=user.pk)


def states(user: User) -> list[tuple[str, str]]:
    """What was to be sent to the person, oldest first: channel and state."""
    rows = NotificationDelivery.objects.filter(user=user).order_by("pk")
    return list(rows.values_list("channel", "state"))


class Post:
    """A mail server that keeps what it is handed, and an account that sends by it."""

    def __init__(self, server: Server) -> None:
        self.server = server

    @property
    def mails(self) -> list[dict[str, Any]]:
        """What came: to, subject, text and so on; ``copies`` of one Message-ID."""
        found: list[dict[str, Any]] = self.server.standins["smtp"].state["messages"]
        return found

    def fault(self, kind: str, times: int = 1) -> None:
        """The next sessions fail."""
        url = f"{self.server.urls['smtp']['control']}/fault"
        httpx.post(url, json={"kind": kind, "times": times}).raise_for_status()


@contextmanager
def post_office(cleared: str = "red") -> Iterator[Post]:
    """Mail that is set up."""
    with Server([Smtp()]) as server:
        own = {**server.standins["smtp"].settings, "allow_internal": True, "cleared": cleared}
        create_account(None, "smtp", "Mail", {"url": server.urls["smtp"]["url"], **own}, {})
        yield Post(server)
