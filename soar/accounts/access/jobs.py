"""One grant on many things, as a job that a worker does, with its progress (access.md 5: bulk grant by filter)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from soar.accounts.access import actions, rows
from soar.accounts.access.kinds import Grantable, kind_named, managed
from soar.accounts.access.rows import Holder
from soar.accounts.membership import asked_within
from soar.accounts.models import GrantJob, User
from soar.lib import clock
from soar.lib.database import AWAY
from soar.lib.errors import CaseError, Conflict, Missing, Refused
from soar.lib.queue import enqueue
from soar.models import QueuedTask

TASK = "soar.accounts.access.jobs.work_off"
AT_MOST = 10_000
SLICE = 5.0  # seconds; then other tasks have their turn
KEPT = 1000  # refusals
OURS = "This could not be done because of an error of Soar; it is in the log."
GIVEN_UP = "The work stopped here after several attempts. Start it again."
logger = logging.getLogger(__name__)


@transaction.atomic
def start(
    user: User,
    kind: Grantable,
    things: Iterable[int],
    holder: Holder,
    level: str,
    *,
    expires_at: datetime | None = None,
    reason: str = "",
) -> GrantJob:
    """Queue one grant on these things, with the user's rights on each. Raises Refused for a level that is none, an end
    that is past, nothing to grant on, or more than 10,000."""
    if level not in kind.levels:
        raise Refused(_("The level is one of: %(levels)s.") % {"levels": ", ".join(kind.levels)}, field="level")
    if expires_at is not None and expires_at <= clock.now():
        raise Refused(_("The end must lie in the future."), field="expires_at")
    wanted = sorted(set(things))
    if not 0 < len(wanted) <= AT_MOST:
        raise Refused(
            _("This takes 1 to %(at_most)s, and there are %(count)s.")
            % {"at_most": f"{AT_MOST:,}", "count": f"{len(wanted):,}"},
            field="ids",
        )
    scopes = None if user.token_scopes is None else sorted(user.token_scopes)
    given: dict[str, Any] = {"to_user": holder} if isinstance(holder, User) else {"to_group": holder}
    job = GrantJob.objects.create(
        user=user,
        scopes=scopes,
        kind=kind.name,
        things=wanted,
        level=level,
        expires_at=expires_at,
        reason=actions.reason_of(reason),
        **given,
    )
    enqueue(TASK, job.pk)
    return job


def own(user: User, job_id: int, *, lock: bool = False) -> GrantJob:
    """A job of this person. Raises Missing for any other."""
    found = GrantJob.objects.filter(asked_within(user), user=user, pk=job_id)
    job = (found.select_for_update() if lock else found.select_related("to_user", "to_group__team")).first()
    if job is None:
        raise Missing(_("There is no such job of yours."))
    return job


@transaction.atomic
def cancel(user: User, job_id: int) -> GrantJob:
    """Stop a job; what was granted stays. Raises Missing, and Conflict for one that has ended."""
    job = own(user, job_id, lock=True)
    if job.finished_at:
        raise Conflict(_("This has ended already."))
    job.status, job.finished_at = GrantJob.Status.CANCELLED, timezone.now()
    job.save(update_fields=["status", "finished_at"])
    return job


def work_off(job_id: int) -> None:
    """Go on with a job for some seconds, and queue the rest. Called by a worker; may be called again at any time."""
    until = time.monotonic() + SLICE
    while _step(job_id):
        if time.monotonic() > until:
            enqueue(TASK, job_id)
            return


@transaction.atomic
def end_given_up() -> int:
    """End the jobs whose task the queue has given up. Returns how many. Called by the scheduler."""
    failed = QueuedTask.objects.filter(task=TASK, failed_at__isnull=False).values_list("args", flat=True)
    unfinished = GrantJob.objects.select_for_update(skip_locked=True, of=("self",)).filter(finished_at=None)
    jobs = list(unfinished.filter(pk__in=[args[0] for args in failed if args]))
    for job in jobs:
        _refuse(job, "", GIVEN_UP)
        _end(job)
    return len(jobs)


@transaction.atomic
def _step(job_id: int) -> bool:
    """The next thing and the progress, together. False: nothing is left. The lock of the job is the claim."""
    job = (
        GrantJob.objects.select_for_update(of=("self",))
        .select_related("user", "to_user", "to_group__team")
        .filter(pk=job_id, finished_at=None)
        .first()
    )
    if job is None:
        return False
    if job.position >= job.total:
        _end(job)
        return False
    job.status = GrantJob.Status.IN_PROGRESS
    _grant(job, kind_named(job.kind), job.things[job.position])
    job.position += 1
    job.save(update_fields=["status", "position", "done", "same", "refused_count", "refused"])
    return True


def _grant(job: GrantJob, kind: Grantable, thing: int) -> None:
    user: User = job.user
    user.token_scopes = None if job.scopes is None else frozenset(job.scopes)
    for name in ("_grants", "_incidents_sql"):  # what was read for the thing before may no longer be so
        if hasattr(user, name):
            delattr(user, name)
    obj = kind.model._default_manager.filter(pk=thing).first()
    name = kind.title(obj) if obj is not None else str(thing)
    holder: User | Group | None = job.to_user or job.to_group
    try:
        if obj is None or holder is None:
            raise Missing(_("There is no %(name)s %(thing)s.") % {"name": kind.name, "thing": thing})
        with transaction.atomic():
            changed = _given(job, user, kind, obj, holder)
    except CaseError as error:
        _refuse(job, name if error.status != 404 else str(thing), error.message)
    except AWAY:
        raise
    except Exception:
        logger.exception("Grant job %s could not grant on %s %s", job.pk, kind.name, thing)
        _refuse(job, name, OURS)
    else:
        job.done += changed
        job.same += not changed


def _given(job: GrantJob, user: User, kind: Grantable, obj: Any, holder: Holder) -> bool:
    """False where they have it already, or more."""
    managed(kind, user, kind.ref(obj), lock=True)
    if actions.reaches(kind, rows.grant_of(kind, obj, holder), job.level, job.expires_at):
        return False
    actions.grant(user, kind, kind.ref(obj), holder, job.level, expires_at=job.expires_at, reason=job.reason)
    return True


def _refuse(job: GrantJob, thing: str, message: str) -> None:
    job.refused_count += 1
    if len(job.refused) < KEPT:
        job.refused = [*job.refused, {"thing": thing, "message": message}]


def _end(job: GrantJob) -> None:
    """How it ended, by its figures."""
    good, status = job.done + job.same, GrantJob.Status
    ended = status.SUCCESSFUL if not job.refused_count else status.PARTIALLY_SUCCESSFUL if good else status.UNSUCCESSFUL
    job.status, job.finished_at = ended, timezone.now()
    job.save(update_fields=["status", "finished_at", "refused_count", "refused"])


def tidy() -> int:
    """Delete jobs that ended a month ago. Returns how many. Called by the scheduler."""
    old = GrantJob.objects.filter(finished_at__lt=timezone.now() - timedelta(days=30))
    return old.delete()[0]
