"""Tasks of the queue that were given up: tried once more, or forgotten, one by one or all of a kind (operations.md 7).

A task may always run again: it looks at its own rows and does nothing where nothing is left to do (soar.lib.queue).
Rows are locked in one order and only those that are still given up: of two at once one finds them, the other none."""

from __future__ import annotations

from django.db import connection, transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Forbidden, Missing
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import queue

NAMED = 100  # ids that the audit log takes of a kind


@transaction.atomic
def retry(actor: Actor, pk: int) -> str:
    """Queue one again; it has all its tries before it. Returns its task's name. Raises Forbidden, Missing."""
    return _one(actor, pk, queue.AGAIN_FROM_START, "task.retried")


@transaction.atomic
def forget(actor: Actor, pk: int) -> str:
    """Delete one for good. Returns its task's name. Raises Forbidden, Missing."""
    return _one(actor, pk, queue.FORGET, "task.forgotten")


@transaction.atomic
def retry_kind(actor: Actor, task: str) -> int:
    """Queue all of this name again. Returns how many. Raises Forbidden, Missing where there are none."""
    return _kind(actor, task, queue.AGAIN_FROM_START, "tasks.retried")


@transaction.atomic
def forget_kind(actor: Actor, task: str) -> int:
    """Delete all of this name for good. Returns how many. Raises Forbidden, Missing where there are none."""
    return _kind(actor, task, queue.FORGET, "tasks.forgotten")


def _one(actor: Actor, pk: int, statement: str, verb: str) -> str:
    _check(actor)
    done = _execute(statement, [pk], None)
    if not done:
        raise Missing(
            _("Task %(pk)s is not among those that were given up: it was tried again or forgotten meanwhile.")
            % {"pk": pk}
        )
    task = done[0][1]
    audit.record(actor.user, verb, task, task=pk)
    return task


def _kind(actor: Actor, task: str, statement: str, verb: str) -> int:
    _check(actor)
    done = _execute(statement, None, task)
    if not done:
        raise Missing(_("None of this kind is given up: they were tried again or forgotten meanwhile."))
    audit.record(actor.user, verb, task, number=len(done), tasks=sorted(row for row, _ in done)[:NAMED])
    return len(done)


def _check(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _execute(statement: str, rows: list[int] | None, task: str | None) -> list[tuple[int, str]]:
    """Which rows it met, with their tasks' names."""
    with connection.cursor() as cursor:
        cursor.execute(statement, {"rows": rows, "task": task})
        found: list[tuple[int, str]] = cursor.fetchall()
        cursor.execute(queue.WAKE)
    return found
