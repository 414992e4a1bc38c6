"""Reading dead letters once more, by the way of every delivery, after the mapping or the kind was mended.

A letter is locked while it is read and marked in the same transaction that stores its alert: two people who replay it
at once make one alert."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions.dead_letters import TASK, letter_for
from cases.actors import Actor
from cases.errors import CaseError, Conflict
from cases.ingest import counters, dead_letters
from cases.ingest.dead_letters import Delivery, Refused
from cases.ingest.pipeline import AGAIN, TRIES, Outcome, receive, rules_of
from cases.ingest.reading import Unreadable, unpack
from cases.models import DeadLetter, ReplayJob
from soar.accounts import audit
from soar.lib import clock
from soar.lib.database import AWAY
from soar.lib.queue import enqueue
from soar.models import QueuedTask

logger = logging.getLogger(__name__)
JOBS_KEPT = timedelta(days=30)
BATCH = 500
SLICE = 5.0  # seconds; then other tasks have their turn
GIVEN_UP = "The work stopped here after several attempts. Start it again."


def replay(actor: Actor, pk: int, *, told: bool = True) -> DeadLetter:
    """Read a dead letter once more. The letter comes back with what came of it; ``replayed_at`` stays empty where it
    still cannot be read, with the error of now. ``told``: with a row in the audit log.

    Raises Missing, Forbidden, and Conflict for one that was read already, that is not whole, or whose source is off."""
    for attempt in range(TRIES):
        try:
            return _replay(actor, pk, told=told)
        except OperationalError as error:
            again = getattr(error.__cause__, "sqlstate", "") in AGAIN and not connection.in_atomic_block
            if attempt == TRIES - 1 or not again:
                raise
    raise AssertionError("not reached")


@transaction.atomic
def _replay(actor: Actor, pk: int, *, told: bool) -> DeadLetter:
    letter = letter_for(actor, pk, lock=True)
    _check(letter)
    letter.tries += 1
    try:
        with transaction.atomic():
            outcomes = _received(letter)
    except Unreadable as error:
        letter.status, letter.error, letter.outcome = error.status, error.message[:1000], ""
    else:
        _took(actor, letter, outcomes)
    letter.save(update_fields=["tries", "status", "error", "outcome", "replayed_at", "replayed_by", "alert"])
    if told:
        read = letter.replayed_at is not None
        alert = f"ALR-{letter.alert_id}" if letter.alert_id else None
        audit.record(actor.user, "dead_letter.replayed", letter.source.slug, letter=pk, read=read, alert=alert)
    return letter


def _check(letter: DeadLetter) -> None:
    if letter.replayed_at is not None:
        became = f"it became ALR-{letter.alert_id}" if letter.alert_id else "it was read"
        raise Conflict(_("This was replayed already: %(became)s.") % {"became": became})
    if not letter.whole:
        raise Conflict(
            _("Only %(kept)s of %(size)s bytes were kept, so it cannot be replayed.")
            % {"kept": f"{letter.kept:,}", "size": f"{letter.size:,}"}
        )
    if not letter.source.enabled:
        raise Conflict(_("The source is off. Switch it on first."))


def _received(letter: DeadLetter) -> list[Outcome]:
    """What became of its items. Raises Unreadable when none of them could be read."""
    body = unpack(bytes(letter.body), letter.encoding)
    outcomes, _ = receive(rules_of(letter.source), body, letter.content_type)
    if all(one.detail for one in outcomes):
        raise Unreadable(outcomes[0].status, outcomes[0].detail)
    return outcomes


def _took(actor: Actor, letter: DeadLetter, outcomes: list[Outcome]) -> None:
    """Mark the letter, count what it brought, and keep by itself what still cannot be read."""
    good = [one for one in outcomes if not one.detail]
    bad = [
        Refused(one.status, one.detail, text := one.text.encode("utf-8", "surrogatepass"), len(text), place)
        for place, one in enumerate(outcomes, 1)
        if one.detail
    ]
    letter.alert_id = next((one.id for one in good if one.id), None)
    letter.replayed_at, letter.replayed_by = clock.now(), actor.name[:200]
    letter.outcome = _sentence(good, len(bad))
    created = sum(one.created for one in good)
    counters.note(letter.source_id, accepted=created, repeats=len(good) - created)
    if bad:
        dead_letters.keep(letter.source_id, Delivery(letter.address, "application/json"), bad)


def _sentence(good: list[Outcome], bad: int) -> str:
    first = good[0]
    if len(good) > 1 or bad:
        left = f"; {bad} of its items cannot be read and stand here by themselves" if bad else ""
        return f"{len(good)} alerts{left}."
    if first.id is None:
        return first.note
    return "A new alert." if first.created else f"A repeat, number {first.count}."


def work_off(job_id: int) -> None:
    """Go on with a job for some seconds, and queue the rest. Called by a worker; may be called again at any time."""
    until = time.monotonic() + SLICE
    while _step(job_id):
        if time.monotonic() > until:
            enqueue(TASK, job_id)
            return


@transaction.atomic
def _step(job_id: int) -> bool:
    """One letter and the progress, together. False: nothing more to do, or another worker is at it."""
    rows = ReplayJob.objects.select_for_update(skip_locked=True, of=("self",))
    job = rows.select_related("user").filter(pk=job_id, finished_at=None).first()
    if job is None:
        return False
    said = _tried(job, job.letters[job.position])
    job.position += 1
    job.done += not said
    job.last_error = said[:1000] or job.last_error
    job.status = ReplayJob.Status.IN_PROGRESS
    if job.position >= len(job.letters):
        job.status, job.finished_at = _ending(job), timezone.now()
    job.save(update_fields=["position", "done", "last_error", "status", "finished_at"])
    return job.finished_at is None


def _tried(job: ReplayJob, pk: int) -> str:
    """Why a letter of the job could not be read, "" if it could. An error of ours stops no other letter."""
    job.user.token_scopes = None if job.scopes is None else frozenset(job.scopes)
    try:
        with transaction.atomic():
            letter = replay(Actor.of(job.user), pk, told=False)
        return "" if letter.replayed_at else letter.error
    except CaseError as error:
        return error.message
    except AWAY:
        raise
    except Exception:
        logger.exception("Replay %s failed at dead letter %s", job.pk, pk)
        return "Something went wrong here; it is in the log."


def _ending(job: ReplayJob) -> str:
    if job.done == len(job.letters):
        return ReplayJob.Status.SUCCESSFUL
    return ReplayJob.Status.PARTIALLY_SUCCESSFUL if job.done else ReplayJob.Status.UNSUCCESSFUL


@transaction.atomic
def end_given_up() -> int:
    """End the jobs whose task the queue has given up. Returns how many. Called by the scheduler."""
    failed = QueuedTask.objects.filter(task=TASK, failed_at__isnull=False).values_list("args", flat=True)
    unfinished = ReplayJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(finished_at=None)
    jobs = list(unfinished.filter(pk__in=[args[0] for args in failed if args]))
    for job in jobs:
        job.status, job.finished_at, job.last_error = _ending(job), timezone.now(), GIVEN_UP
        job.save(update_fields=["status", "finished_at", "last_error"])
    return len(jobs)


def tidy() -> None:
    """Delete dead letters that are older than the setting says, and old jobs. Scheduled every hour."""
    now = clock.now()
    old = DeadLetter.objects.filter(received_at__lt=now - timedelta(days=settings.DEAD_LETTER_DAYS))
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        try:
            DeadLetter.objects.filter(pk__in=ids).delete()
        except DatabaseError:
            logger.warning("Old dead letters could not be deleted", exc_info=True)
            return
    ReplayJob.objects.filter(finished_at__lt=now - JOBS_KEPT).delete()
