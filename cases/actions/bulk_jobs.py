"""Bulk actions as jobs: asked for in one request, done by a worker in batches, with progress, cancel and undo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from cases.actions import bulk
from cases.actions.bulk_selection import Selection, count_of
from cases.actions.bulk_verbs import VERBS
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import BulkBatch, BulkJob
from cases.models.job import UNDO_FOR
from soar.accounts.membership import asked_within, may
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.queue import enqueue
from soar.models import QueuedTask

TASK = "cases.tasks.work_off"
AT_MOST = 10_000  # by id, in one request
GIVEN_UP = "The work stopped here after several attempts; the alerts behind this one were not touched. Start it again."
TOGETHER = ("link", "incident")  # all or nothing, so at most bulk.AT_MOST
RUN = "run"  # a playbook on each (rulings 23)
ACTIONS = (*VERBS, *TOGETHER, RUN)


@transaction.atomic
def start(user: User, alerts: Sequence[int] | Selection, action: str, fields: dict[str, Any]) -> BulkJob:
    """Queue ``action`` on alerts, with the user's rights and within the scopes of the token they came with. ``alerts``
    are ids, or all that match a filter now; later ones are not touched.

    Raises Forbidden, and Refused for an unknown action, fields that it does not take, no alerts, or too many."""
    job = new_job(user, action, fields)
    if action in VERBS:
        VERBS[action].read(fields)
    if isinstance(alerts, Selection):
        job.query, job.cut_off = alerts.query, alerts.cut_off
        job.total = counted(user, alerts, action)
    else:
        job.alerts = sorted(set(alerts))
        job.total = _checked(len(job.alerts), min(AT_MOST, at_most(action)))
    job.save()
    enqueue(TASK, job.pk)
    job.refresh_from_db()
    return job


def counted(user: User, selection: Selection, action: str) -> int:
    """How many alerts a filter means. Raises Refused for none, or for more than a job of this action takes."""
    most = at_most(action)
    return _checked(count_of(user, selection, most), most)


def at_most(action: str) -> int:
    """How many alerts a job of this action takes."""
    return bulk.AT_MOST if action in (*TOGETHER, RUN) else settings.BULK_AT_MOST


@transaction.atomic
def cancel(user: User, job_id: int) -> BulkJob:
    """Stop a job: the batch that is under way is finished, the others are not begun. What was done stays done.

    Raises Missing for a job of somebody else, Conflict for one that has ended."""
    job = own(user, job_id, lock=True)
    if job.finished_at:
        raise Conflict(_("This has ended already."))
    job.status, job.finished_at = BulkJob.Status.CANCELLED, timezone.now()
    job.save(update_fields=["status", "finished_at"])
    return job


@transaction.atomic
def undo(user: User, job_id: int) -> BulkJob:
    """Queue a job that puts back what this one changed, where nobody has changed it since. Once, within a day.

    Raises Missing for a job of somebody else, Forbidden, and Conflict for what cannot be undone."""
    if not may(user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))
    job = own(user, job_id, lock=True)
    if (reason := no_undo(job)) is not None:
        raise Conflict(reason)
    # A job that was cancelled is finished before its last batch is. Held until the undo stands: none begins now.
    left = job.batches.filter(done_at=None)
    if left.count() > len(left.select_for_update(skip_locked=True).values_list("pk", flat=True)):
        raise Conflict(_("Its last batch is still under way. Try again in a moment."))
    made = BulkJob.objects.create(
        user=user, scopes=_scopes(user), action="undo", undo_of=job, total=job.changed, collected_at=clock.now(),
    )  # fmt: skip
    batches = job.batches.exclude(before={}).order_by("number").values_list("number", "before")
    BulkBatch.objects.bulk_create(
        [
            BulkBatch(job=made, number=number, alerts=sorted(int(pk) for pk in before), before=before)
            for number, before in batches.iterator(chunk_size=50)
        ],
        batch_size=50,
    )
    enqueue(TASK, made.pk)
    made.refresh_from_db()
    return made


def no_undo(job: BulkJob) -> str | None:
    """Why a job cannot be undone; None if it can."""
    if job.finished_at is None:
        return _("This goes on still. Cancel it first, or wait.")
    if job.undo_of_id is not None or not job.changed:
        return _("There is nothing here that can be undone.")
    if hasattr(job, "undone_by"):
        return _("This was undone already.")
    if job.undo_until and job.undo_until < timezone.now():
        return _("What was before is kept for 24 hours only.")
    return None


def own(user: User, job_id: int, *, lock: bool = False) -> BulkJob:
    """A job of this person. Raises Missing for any other."""
    rows = BulkJob.objects.filter(asked_within(user), user=user, pk=job_id)
    job: BulkJob | None = (rows.select_for_update() if lock else rows.select_related("undone_by")).first()
    if job is None:
        raise Missing(_("There is no such job of yours."))
    return job


@transaction.atomic
def end_given_up() -> int:
    """End the jobs whose task the queue has given up, so that nobody waits for them; what was done stays done.
    Returns how many. Called by the scheduler; may be called at any time."""
    failed = QueuedTask.objects.filter(task=TASK, failed_at__isnull=False).values_list("args", flat=True)
    unfinished = BulkJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(finished_at=None)
    jobs = list(unfinished.filter(pk__in=[args[0] for args in failed if args]))
    for job in jobs:
        batch = job.batches.filter(done_at=None).order_by("number").first()
        first = (batch.alerts if batch else job.alerts)[:1]
        job.refused += [{"number": f"ALR-{first[0]}" if first else "", "message": GIVEN_UP}]
        job.refused_count += 1
        job.status, job.finished_at = ending(job), timezone.now()
        job.save(update_fields=["refused", "refused_count", "status", "finished_at"])
    return len(jobs)


def tidy() -> int:
    """Delete the batches of jobs that can no longer be undone. Returns how many. Called by the scheduler."""
    old = BulkBatch.objects.filter(job__finished_at__lt=timezone.now() - UNDO_FOR)
    return old.delete()[0]


def ending(job: BulkJob) -> str:
    """How a job ended, by its figures."""
    if job.done + job.skipped >= job.total and not job.refused_count:
        return BulkJob.Status.SUCCESSFUL
    return BulkJob.Status.PARTIALLY_SUCCESSFUL if job.done else BulkJob.Status.UNSUCCESSFUL


def run_on_each(*args: Any, **kwargs: Any) -> Any:
    """The function of the roof's setting that starts a playbook on each of some alerts."""
    return import_string(settings.ALERTS_RUN_ON_EACH)(*args, **kwargs)


def new_job(user: User, action: str, fields: dict[str, Any]) -> BulkJob:
    """A job that is not saved yet. Raises Forbidden and Refused."""
    needed, what = ("run_playbooks", _("run playbooks")) if action == RUN else ("work_cases", _("work on cases"))
    if not may(user, needed):
        raise Forbidden(_("The permission to %(what)s is missing.") % {"what": what})
    if action not in ACTIONS:
        raise Refused(
            _("%(action)s is not one of: %(actions)s.") % {"action": f"{action!s:.40}", "actions": ", ".join(ACTIONS)},
            field="action",
        )
    zone = timezone.get_current_timezone_name()
    return BulkJob(user=user, scopes=_scopes(user), action=action, fields=fields, time_zone=zone)


def _scopes(user: User) -> list[str] | None:
    return None if user.token_scopes is None else sorted(user.token_scopes)


def _checked(number: int, most: int) -> int:
    if not number:
        raise Refused(_("This takes 1 to %(most)s alerts, and there is none.") % {"most": f"{most:,}"}, field="ids")
    if number > most:
        raise Refused(
            _("This takes 1 to %(most)s alerts, and there are more. Narrow the filter, by time for instance.")
            % {"most": f"{most:,}"},
            field="ids",
        )
    return number
