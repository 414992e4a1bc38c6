"""Bulk actions as jobs: asked for in one request, done by a worker, alert by alert, with progress."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from cases.actions import bulk
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Refused
from cases.models.job import BulkJob
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.database import AWAY
from soar.lib.queue import enqueue
from soar.models import QueuedTask

logger = logging.getLogger(__name__)
TASK = "cases.tasks.work_off"
AT_MOST = 10_000
REFUSALS_KEPT = 1000
GIVEN_UP = "The work stopped here after several attempts; the alerts behind this one were not touched. Start it again."
TOGETHER = ("link", "incident")  # all or nothing, so at most bulk.AT_MOST
ACTIONS = (*bulk.ONE_BY_ONE, *TOGETHER)


@transaction.atomic
def start(user: User, ids: Sequence[int], action: str, fields: dict[str, Any]) -> BulkJob:
    """Queue ``action`` on alerts, with the user's rights and within the scopes of the token they came with.

    Raises Forbidden, and Refused for an unknown action, no alerts, or too many."""
    if not may(user, "work_cases"):
        raise Forbidden("The permission to work on cases is missing.")
    if action not in ACTIONS:
        raise Refused(f"{action!s:.40} is not one of: {', '.join(ACTIONS)}.", field="action")
    wanted = sorted(set(ids))
    most = bulk.AT_MOST if action in TOGETHER else AT_MOST
    if not 0 < len(wanted) <= most:
        raise Refused(f"This takes 1 to {most} alerts, not {len(wanted)}.", field="ids")
    scopes = None if user.token_scopes is None else sorted(user.token_scopes)
    job = BulkJob.objects.create(user=user, scopes=scopes, action=action, fields=fields, alerts=wanted)
    enqueue(TASK, job.pk)
    job.refresh_from_db()
    return job


def work_off(job_id: int) -> None:
    """Go on with a job until it is finished. Called by a worker; may be called again at any time."""
    while _step(job_id):
        pass


@transaction.atomic
def end_given_up() -> int:
    """End the jobs whose task the queue has given up, so that nobody waits for them; what was done stays done.
    Returns how many. Called by the scheduler; may be called at any time."""
    failed = QueuedTask.objects.filter(task=TASK, failed_at__isnull=False).values_list("args", flat=True)
    unfinished = BulkJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(finished_at=None)
    jobs = list(unfinished.filter(pk__in=[args[0] for args in failed if args]))
    for job in jobs:
        number = f"ALR-{job.alerts[job.position]}"
        job.refused.append({"number": number, "message": GIVEN_UP})
        job.status, job.finished_at = _ending(job), timezone.now()
        job.save(update_fields=["refused", "status", "finished_at"])
    return len(jobs)


@transaction.atomic
def _step(job_id: int) -> bool:
    """One alert and the progress, together. False: nothing more to do, or another worker is at it."""
    job = BulkJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=job_id, finished_at=None).first()
    if job is None:
        return False
    ids = job.alerts if job.action in TOGETHER else job.alerts[job.position : job.position + 1]
    result = _applied(job, ids)
    job.position += len(ids)
    job.done += result.done
    job.incident = result.incident
    kept = REFUSALS_KEPT - len(job.refused)
    job.refused += [{"number": number, "message": message} for number, message in result.refused[:kept]]
    job.status = BulkJob.Status.IN_PROGRESS
    finished = job.position >= len(job.alerts)
    if finished:
        job.status, job.finished_at = _ending(job), timezone.now()
    job.save(update_fields=["position", "done", "incident", "refused", "status", "finished_at"])
    return not finished


def _applied(job: BulkJob, ids: Sequence[int]) -> bulk.BulkResult:
    """What became of these alerts. An error of ours is told like a refusal, so that it does not stop the others."""
    user = job.user
    user.token_scopes = None if job.scopes is None else frozenset(job.scopes)
    try:
        with transaction.atomic():
            return bulk.apply(Actor.of(user), ids, job.action, job.fields)
    except CaseError as error:
        message = error.message
    except AWAY:
        raise
    except Exception:
        logger.exception("Job %s could not %s %s", job.pk, job.action, ids)
        message = "Something went wrong here; it is in the log."
    return bulk.BulkResult(refused=[(f"ALR-{pk}", message) for pk in ids])


def _ending(job: BulkJob) -> str:
    if job.done == len(job.alerts):
        return BulkJob.Status.SUCCESSFUL
    return BulkJob.Status.PARTIALLY_SUCCESSFUL if job.done else BulkJob.Status.UNSUCCESSFUL
