"""What a worker does with a bulk job: collect the alerts, then batch by batch, each in one short transaction.

The lock of a batch's row is the claim: a worker that dies leaves it to the next, and two at one job share its batches.
What a batch changes, its timeline entries and the progress are committed together, so nothing is done twice."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions import bulk, bulk_jobs, bulk_undo
from cases.actions.bulk_jobs import RUN, TASK, TOGETHER, ending
from cases.actions.bulk_selection import meant
from cases.actions.bulk_together import OURS, Outcome, change_each, locked, logger
from cases.actions.bulk_verbs import VERBS
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Refused
from cases.models import Alert, BulkBatch, BulkJob
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.database import AWAY
from soar.lib.queue import enqueue

SIZE = 800  # alerts in one transaction: their rows are locked for some tenths of a second
RUNS = 20
SLICE = 5.0  # seconds; then other tasks have their turn
REFUSALS_KEPT = 1000


def work_off(job_id: int) -> None:
    """Go on with a job for some seconds, and queue the rest. Called by a worker; may be called again at any time."""
    if not work(job_id, time.monotonic() + SLICE):
        enqueue(TASK, job_id)


def at_once(user: User, ids: Sequence[int], action: str, fields: dict[str, Any]) -> BulkJob:
    """A verb on a few alerts, here and now: the job, finished. Raises Forbidden, and Refused for an unknown action, no
    alerts or more than 1,000; what the fields lack is told alert by alert."""
    with transaction.atomic():
        job = bulk_jobs.new_job(user, action, fields)
        job.alerts = list(dict.fromkeys(ids))
        job.total = len(job.alerts)
        if not 0 < job.total <= bulk.AT_MOST:
            most = _("At most %(at_most)s alerts at once.") % {"at_most": bulk.AT_MOST}
            raise Refused(most if job.total else _("Tick some alerts first."), field="ids")
        job.save()
    work(job.pk)
    job.refresh_from_db()
    return job


def work(job_id: int, until: float | None = None) -> bool:
    """Go on with a job until it is finished, or until a moment of the monotonic clock. Whether all is done."""
    _collect(job_id)
    while step(job_id):
        if until is not None and time.monotonic() > until:
            return False
    _finish(job_id)
    return True


@transaction.atomic
def _collect(job_id: int) -> None:
    """Put the alerts into batches, once. From then on the job's alerts are fixed."""
    job = _unfinished(job_id).select_for_update(of=("self",)).filter(collected_at=None).first()
    if job is None:
        return
    try:
        ids = _ids(job)
    except CaseError as error:
        _note(job, Outcome(refused=[("", error.message)]))
        ids = []
    size = len(ids) if job.action in TOGETHER else RUNS if job.action == RUN else SIZE
    pieces = [ids[first : first + size] for first in range(0, len(ids), size or 1)]
    BulkBatch.objects.bulk_create([BulkBatch(job=job, number=n, alerts=one) for n, one in enumerate(pieces)])
    job.total, job.collected_at, job.status = len(ids), timezone.now(), BulkJob.Status.IN_PROGRESS
    job.save()


def _ids(job: BulkJob) -> list[int]:
    if job.query is None:
        return job.alerts[job.position :]
    rows = meant(job, _user(job)).order_by("-pk").values_list("pk", flat=True)
    return list(rows[: bulk_jobs.at_most(job.action)])


@transaction.atomic
def step(job_id: int) -> bool:
    """One batch and the progress, together. False: none is left, or others are at the last ones."""
    waiting = BulkBatch.objects.select_for_update(skip_locked=True).filter(job=job_id, done_at=None)
    batch = waiting.order_by("number").first()
    # Looked at under the batch's lock, which an undo takes too: of a job that was cancelled no batch is begun.
    job = _unfinished(job_id).first()
    if job is None or batch is None:
        return False
    outcome = _applied(job, batch)
    batch.before, batch.done_at = {str(pk): one for pk, one in outcome.before.items()}, timezone.now()
    batch.save(update_fields=["before", "done_at"])
    # Locked only now and for the moment: whoever cancels need not wait for the batch.
    job = BulkJob.objects.select_for_update(of=("self",)).get(pk=job_id)
    job.position += len(batch.alerts)
    if job.finished_at is None:  # else it was cancelled meanwhile
        job.status = BulkJob.Status.IN_PROGRESS  # an undo is collected when it is asked for
    _note(job, outcome)
    job.save(update_fields=["status", "position", "done", "skipped", "changed", "refused_count", "refused", "incident"])
    return True


@transaction.atomic
def _finish(job_id: int) -> None:
    """The end, unless somebody is still at a batch: then that one comes here."""
    job = _unfinished(job_id).select_for_update(of=("self",)).first()
    if job is None or job.batches.filter(done_at=None).exists():
        return
    job.status, job.finished_at = ending(job), timezone.now()
    job.save(update_fields=["status", "finished_at"])


def _unfinished(job_id: int) -> QuerySet[BulkJob]:
    return BulkJob.objects.select_related("user", "undo_of").filter(pk=job_id, finished_at=None)


def _note(job: BulkJob, outcome: Outcome) -> None:
    job.done += outcome.done
    job.skipped += outcome.skipped
    job.changed += len(outcome.before)
    job.incident = outcome.incident or job.incident
    job.refused_count += len(outcome.refused)
    kept = REFUSALS_KEPT - len(job.refused)
    job.refused += [{"number": number, "message": message} for number, message in outcome.refused[: max(0, kept)]]


def _user(job: BulkJob) -> User:
    """Whose rights count, as they are now, within the token's scopes."""
    user: User = job.user
    user.token_scopes = None if job.scopes is None else frozenset(job.scopes)
    return user


def _applied(job: BulkJob, batch: BulkBatch) -> Outcome:
    """What became of the batch. When an error of ours stops all of it, its alerts are tried one by one."""
    try:
        return _tried(job, batch, batch.alerts)
    except CaseError as error:
        return Outcome(refused=[(f"ALR-{pk}", error.message) for pk in batch.alerts])
    except AWAY:
        raise
    except Exception:
        logger.exception("Job %s could not %s batch %s as a whole", job.pk, job.action, batch.number)
    whole = Outcome()
    for pk in batch.alerts if job.action not in TOGETHER else ():
        _add(whole, _single(job, batch, pk))
    if job.action in TOGETHER:
        whole.refused = [(f"ALR-{pk}", OURS) for pk in batch.alerts]
    return whole


def _single(job: BulkJob, batch: BulkBatch, pk: int) -> Outcome:
    try:
        return _tried(job, batch, [pk])
    except AWAY:
        raise
    except Exception as error:
        logger.exception("Job %s could not %s ALR-%s", job.pk, job.action, pk)
        return Outcome(refused=[(f"ALR-{pk}", error.message if isinstance(error, CaseError) else OURS)])


def _add(whole: Outcome, one: Outcome) -> None:
    whole.done += one.done
    whole.skipped += one.skipped
    whole.refused += one.refused
    whole.before |= one.before


@transaction.atomic
def _tried(job: BulkJob, batch: BulkBatch, ids: Sequence[int]) -> Outcome:
    user = _user(job)
    actor = Actor.of(user)
    if job.action in TOGETHER:
        result = bulk.apply(actor, ids, job.action, job.fields)
        return Outcome(done=result.done, incident=result.incident)
    if job.action == RUN:
        return _runs(job, actor, ids)
    if not may(user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))
    seen = _reachable(job, user, ids)
    verb = VERBS[job.undo_of.action if job.undo_of else job.action]
    alerts = locked(seen, ids, verb.undo)
    if job.undo_of is not None:
        before = {str(pk): job_before for pk in ids if (job_before := batch.before.get(str(pk)))}
        outcome = bulk_undo.put_back(actor, alerts, before)
    else:
        fields = verb.read(job.fields)
        outcome = change_each(actor, alerts, lambda who, alert: verb.act(who, alert, fields), verb.undo)
    gone = sorted(set(ids) - {alert.pk for alert in alerts})
    if job.query is not None:
        outcome.skipped = len(gone)
    else:
        outcome.refused += [(f"ALR-{pk}", f"There is no alert {pk}.") for pk in gone]
    return outcome


def _reachable(job: BulkJob, user: User, ids: Sequence[int]) -> QuerySet[Alert]:
    """The alerts that a job may change now. An undo also reaches those that the job itself has given to another team,
    out of the sight of whoever asked for it, but none that a restriction has taken away."""
    if job.query is not None:
        return meant(job, user)
    seen = Alert.objects.visible_to(user)
    if job.undo_of is None:
        return seen
    return Alert.objects.filter(Q(restricted=False) | Q(pk__in=seen.filter(pk__in=ids).values("pk")))


def _runs(job: BulkJob, actor: Actor, ids: Sequence[int]) -> Outcome:
    """A playbook on each; those of a filter that match no more are left out."""
    wanted = list(ids)
    if job.query is not None:
        wanted = sorted(meant(job, _user(job)).filter(pk__in=ids).values_list("pk", flat=True))
    if not wanted:
        return Outcome(skipped=len(ids))
    fields = job.fields
    _playbook, runs, refused = bulk_jobs.run_on_each(
        actor, fields.get("playbook") or "", wanted, dry_run=bool(fields.get("dry_run"))
    )
    return Outcome(done=len(runs), skipped=len(ids) - len(wanted), refused=refused)
