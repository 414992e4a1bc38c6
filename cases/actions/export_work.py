"""What a worker does with an export: read, render, keep the file, write it down.

A worker that dies leaves nothing but a file of a part; the queue gives the job to another, which begins anew. Of two at
the same job only the later one may write: its number is in the row (``attempt``)."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions.exports import TASK, checked, file_name, pieces_of, written_down
from cases.errors import CaseError, Missing
from cases.models import ExportJob, ExportStatus
from cases.models.export import KEPT_FOR
from cases.reporting import store
from cases.reporting.document import document
from cases.reporting.formats import FORMATS
from cases.reporting.options import Options
from cases.reporting.store import Kept
from soar.accounts.models import User
from soar.models import QueuedTask

GIVEN_UP = "It did not succeed after several attempts; the reason is in the log. Ask for it again."
ROWS_KEPT = timedelta(days=30)
WRITING = 3600.0  # seconds; nobody is at a file that was not written to for so long
logger = logging.getLogger(__name__)


class Unwanted(Exception):
    """Nobody waits for this any more: it was cancelled, or another worker is at it."""


def work(job_id: int) -> None:
    """Make one export. Called by a worker; may be called again at any time."""
    job = _claim(job_id)
    if job is None:
        return
    kept: list[Kept] = []
    try:
        _make(job, kept)
    except Unwanted:
        logger.info("Export %s is not wanted any more", job_id)
    except CaseError as error:
        _fail(job, error.message)
    else:
        return
    for one in kept:
        store.remove(one.name)


@transaction.atomic
def _claim(job_id: int) -> ExportJob | None:
    rows = ExportJob.objects.select_for_update(of=("self",)).select_related("user")
    job = rows.filter(pk=job_id).first()
    if job is None or job.is_over:
        return None
    job.status, job.started_at, job.attempt = ExportStatus.IN_PROGRESS, timezone.now(), job.attempt + 1
    job.save(update_fields=["status", "started_at", "attempt"])
    return job


def _make(job: ExportJob, kept: list[Kept]) -> None:
    """``kept`` gets the file as soon as it is there, so that it can be removed if it is not wanted."""
    user: User = job.user
    user.token_scopes = None if job.scopes is None else frozenset(job.scopes)
    options = Options.read(job.options)
    if job.format not in FORMATS:
        raise Missing(_("There is no format %(format)s any more.") % {"format": job.format})
    format = checked(user, job.incident_id, job.format, options)
    read = document(user, job.incident_id, options, raw=format.payloads)
    _progress(job, 1)
    kept.append(store.keep(pieces_of(format.render(read, lambda percent: _progress(job, percent)))))
    with transaction.atomic():
        checked(user, job.incident_id, job.format, options)
        written_down(user, read, format, kept[0].size, kept[0].sha256)
        _finish(job, kept[0], file_name(read, format))


def _ours(job: ExportJob) -> dict[str, object]:
    return {"pk": job.pk, "attempt": job.attempt, "status": ExportStatus.IN_PROGRESS}


def _progress(job: ExportJob, percent: int) -> None:
    """Show how far it is; a beginning anew does not turn it back. Raises Unwanted."""
    shown = max(0, min(99, percent))
    if shown > job.progress and not ExportJob.objects.filter(**_ours(job)).update(progress=shown):
        raise Unwanted
    job.progress = max(job.progress, shown)


def _finish(job: ExportJob, file: Kept, name: str) -> None:
    now = timezone.now()
    done = ExportJob.objects.filter(**_ours(job)).update(
        status=ExportStatus.SUCCESSFUL, progress=100, message="", file=file.name, size=file.size, sha256=file.sha256,
        name=name, finished_at=now, expires_at=now + KEPT_FOR,
    )  # fmt: skip
    if not done:
        raise Unwanted  # the entry that was just written goes with the transaction


def _fail(job: ExportJob, message: str) -> None:
    values = {"status": ExportStatus.UNSUCCESSFUL, "message": message[:2000], "finished_at": timezone.now()}
    ExportJob.objects.filter(**_ours(job)).update(**values)


def end_given_up() -> int:
    """End the exports whose task the queue has given up. Returns how many. Called by the scheduler."""
    failed = QueuedTask.objects.filter(task=TASK, failed_at__isnull=False).values_list("args", flat=True)
    ids = [args[0] for args in failed if args]
    unfinished = ExportJob.objects.filter(pk__in=ids, finished_at=None)
    values = {"status": ExportStatus.UNSUCCESSFUL, "message": GIVEN_UP, "finished_at": timezone.now()}
    return unfinished.update(attempt=F("attempt") + 1, **values)


def tidy() -> int:
    """Delete the files whose day is over, files that crashes have left, and rows of a month ago. Returns how many
    files. Called by the scheduler."""
    now = timezone.now()
    ExportJob.objects.filter(finished_at__lt=now - ROWS_KEPT).delete()
    over = list(ExportJob.objects.filter(expires_at__lte=now).exclude(file="").values_list("pk", "file"))
    for pk, name in over:
        store.remove(name)
        ExportJob.objects.filter(pk=pk).update(file="")
    needed = set(ExportJob.objects.exclude(file="").values_list("file", flat=True))
    return len(over) + store.sweep(needed, older=WRITING)
