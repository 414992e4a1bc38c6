"""The outbox of a ticket: what is to be done there, one thing after the other, whoever asks for it (servicenow.md 4).

Rows are in the order of their ids. Only the first open one of a link is ever sent; one that failed waits for a person
and holds back what comes after it. The queue is a doorbell: whoever rings too often only makes a worker look."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from cases import leases
from cases.models import ChangeState, LinkState, ServiceNowInstance, TicketChange, TicketLink
from cases.models.servicenow_traffic import OPEN_CHANGES
from soar.lib import clock
from soar.lib.queue import enqueue, enqueue_many

TASK = "cases.tasks.servicenow_send"
CREATE, FIELDS, NOTE, ATTACHMENT = "create", "fields", "note", "attachment"
AT_ONCE = 200
WORKING = (LinkState.CREATING, LinkState.LINKED)
# One that a worker has taken is none: the worker may have been killed.
QUEUED = "SELECT args FROM soar_queue WHERE task = %s AND failed_at IS NULL AND ready_at <= now()"


def add(
    link: TicketLink, kind: str, *, entry: int = 0, evidence: int | None = None, cause: uuid.UUID | None = None
) -> None:
    """Put something at the end of the link's outbox; twice changes nothing: an entry is told once, and of what differs
    one row waits at most. The caller's transaction; ``ring`` follows."""
    row = TicketChange(link=link, kind=kind, entry=entry, evidence_id=evidence, cause=cause)
    TicketChange.objects.bulk_create([row], ignore_conflicts=True)


def add_all(rows: Iterable[TicketChange]) -> None:
    """As ``add``, for several, in their order."""
    TicketChange.objects.bulk_create(list(rows), ignore_conflicts=True)


def ring(link: TicketLink) -> None:
    """Have a worker look at the link: send what waits, or, if nothing does, compare both sides. The caller's
    transaction."""
    if not link.changes.filter(state__in=OPEN_CHANGES).exists():
        add(link, FIELDS)
    enqueue(TASK, link.pk)


def ring_link(link_id: int) -> None:
    """Have a worker look at what waits, if anything does."""
    enqueue(TASK, link_id)


def ring_instance(instance: ServiceNowInstance) -> int:
    """Have workers look at each link of the instance at which something waits. Returns how many."""
    return _ring(_waiting().filter(link__instance=instance))


@transaction.atomic
def ring_due() -> int:
    """Have workers look at what is due, and at what was broken off. Scheduled every few seconds."""
    now = clock.now()
    ready = Q(link__instance__out_resume_at=None) | Q(link__instance__out_resume_at__lte=now)
    return _ring(_waiting().filter(leases.free("link__"), ready, due_at__lte=now, link__instance__out_paused=False))


def drop_open(link: TicketLink, said: str) -> None:
    """Let everything go that is still open; ``said`` is why."""
    rows = link.changes.filter(state__in=OPEN_CHANGES)
    rows.update(state=ChangeState.SKIPPED, said=said, finished_at=clock.now())


def retried_later(change: TicketChange, pause: timedelta, said: str, hint: str = "") -> None:
    """Put a row back that could not be sent now. Of what differs one row waits at most, and it sends all of it: where
    another one does already, this one is over. The caller's transaction holds the link's lock."""
    now = clock.now()
    change.said, change.hint, change.due_at = said[:4000], hint, now + pause
    change.state = ChangeState.WAITING
    if change.kind == FIELDS and change.link.changes.filter(kind=FIELDS, state=ChangeState.WAITING).exists():
        change.state, change.said, change.finished_at = ChangeState.DONE, "A later change sends it too.", now
    change.save(update_fields=["state", "said", "hint", "due_at", "finished_at", "detail", "attempts"])


def _waiting() -> QuerySet[TicketChange]:
    """Rows to send that nothing which failed holds back."""
    failed = TicketChange.objects.filter(link=OuterRef("link"), state=ChangeState.FAILED, pk__lt=OuterRef("pk"))
    rows = TicketChange.objects.filter(
        ~Exists(failed), state__in=(ChangeState.WAITING, ChangeState.SENDING), link__state__in=WORKING
    )
    return rows.filter(link__instance__account__enabled=True)


def _ring(rows: QuerySet[TicketChange]) -> int:
    found = dict.fromkeys(rows.order_by("pk").values_list("link", flat=True)[: 10 * AT_ONCE])
    with connection.cursor() as cursor:
        cursor.execute(QUEUED, [TASK])
        queued = {str(args) for (args,) in cursor.fetchall()}
    wanted = [pk for pk in found if f"[{pk}]" not in queued][:AT_ONCE]
    enqueue_many((TASK, (pk,)) for pk in wanted)
    return len(wanted)
