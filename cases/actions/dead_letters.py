"""Dead letters for people: who sees them, deleting them, asking for all of them to be replayed (ingest-and-api.md 5).

Replaying itself stands above acceptance, in cases.replaying."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from cases.actions.source_access import locked_source
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.models import AlertSource, DeadLetter, ReplayJob
from cases.permissions import readable_source, source_for
from cases.querysets import inside
from cases.source_access import manages_some, sources_managed_by
from soar.accounts import audit
from soar.accounts.membership import asked_within, may
from soar.accounts.models import User
from soar.lib.queue import enqueue

TASK = "cases.tasks.replay_dead_letters"
AT_MOST = 10_000


def letters_for(user: User, slug: str = "") -> QuerySet[DeadLetter]:
    """The dead letters of the sources that this person manages, or of one of them. Raises Forbidden, Missing."""
    if slug:
        return told(user, DeadLetter.objects.filter(source=source_for(user, slug)))
    if may(user, "manage_sources"):
        return told(user, DeadLetter.objects.all())
    if not manages_some(user):
        raise Forbidden(_("The permission to manage alert sources is missing."))
    return told(user, DeadLetter.objects.filter(source__in=sources_managed_by(user)))


def told(user: User, rows: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    """Without those that became alerts of restricted incidents which the person does not see: their bytes are these."""
    return rows.filter(Q(alert=None) | Q(alert__restricted=False) | inside("alert__incident", user))


def letters_read_by(user: User, slug: str = "") -> QuerySet[DeadLetter]:
    """Those that this person may read of without their bytes: of all sources for who reads what is set up, else those
    of ``letters_for``. Raises Forbidden, Missing."""
    if not may(user, "view_setup"):
        return letters_for(user, slug)
    rows = DeadLetter.objects.filter(source=readable_source(user, slug)) if slug else DeadLetter.objects.all()
    return told(user, rows)


def letter_for(actor: Actor, pk: int, *, lock: bool = False) -> DeadLetter:
    """One dead letter, if the person manages its source. ``lock`` takes its row. Raises Missing, Forbidden."""
    rows = DeadLetter.objects.select_for_update(of=("self",)) if lock else DeadLetter.objects.all()
    letter = rows.select_related("source").filter(pk=pk).first()
    # Asked by itself: of a row whose lock was waited for, what is joined would be that from before the wait.
    hidden = actor.user is not None and not told(actor.user, DeadLetter.objects.filter(pk=pk)).exists()
    if letter is None or hidden:
        if actor.user is not None and not may(actor.user, "manage_sources"):
            raise Forbidden(_("The permission to manage this alert source is missing."))  # as for one that is there
        raise Missing(_("There is no dead letter %(pk)s.") % {"pk": pk})
    if actor.user is not None:
        source_for(actor.user, letter.source.slug)
    return letter


def waiting(rows: QuerySet[DeadLetter]) -> QuerySet[DeadLetter]:
    """Those that have not been read yet."""
    return rows.filter(replayed_at=None)


@transaction.atomic
def delete(actor: Actor, pk: int) -> None:
    """Delete a dead letter for good. Raises Missing, Forbidden."""
    letter = letter_for(actor, pk, lock=True)
    letter.delete()
    slug, error = letter.source.slug, letter.error[:200]
    audit.record(actor.user, "dead_letter.deleted", slug, letter=pk, error=error, size=letter.size)


@transaction.atomic
def delete_all(actor: Actor, slug: str) -> int:
    """Delete all dead letters of a source, those that were replayed too. Returns how many."""
    source = locked_source(actor, slug)
    number, _ = DeadLetter.objects.filter(source=source).delete()
    if number:
        audit.record(actor.user, "dead_letters.deleted", source.slug, number=number)
    return number


@transaction.atomic
def start_replay(user: User, slug: str = "") -> ReplayJob:
    """Queue all that wait, the oldest first: of a source, or with no slug of all. Raises Refused if there are none."""
    rows = waiting(letters_for(user, slug)).filter(kept=F("size")).order_by("id")
    ids = list(rows.values_list("pk", flat=True)[:AT_MOST])
    if not ids:
        raise Refused(_("There is nothing to replay."))
    source = AlertSource.objects.filter(slug=slug).first() if slug else None
    scopes = None if user.token_scopes is None else sorted(user.token_scopes)
    job = ReplayJob.objects.create(user=user, scopes=scopes, source=source, letters=ids)
    enqueue(TASK, job.pk)
    audit.record(user, "dead_letters.replayed", slug or "all sources", number=len(ids), job=job.pk)
    job.refresh_from_db()
    return job


def job_for(user: User, pk: int) -> ReplayJob:
    """A job of this person's own. Raises Missing."""
    job = ReplayJob.objects.filter(asked_within(user), pk=pk, user=user).select_related("source").first()
    if job is None:
        raise Missing(_("There is no replay %(pk)s of yours.") % {"pk": pk})
    return job
