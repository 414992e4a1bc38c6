"""Entries on top of a timeline (casework.md 13). The pin is a row beside the timeline; that it came or went, and by
whom, is an entry like any other."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import timeline
from cases.actors import Actor
from cases.errors import Missing, Refused, missing_as
from cases.merged import absorbed, end_of
from cases.models import Alert, TimelineEntry, TimelinePin
from cases.permissions import alert_for, incident_for
from cases.timeline import Subject
from soar.lib import clock

PINS_AT_MOST = 20
# What tells of something else's change is not pinned, but that.
NEVER = ("comment.edited", "entry.pinned", "entry.unpinned")


@transaction.atomic
def pin(actor: Actor, entry_id: int) -> TimelineEntry:
    """Pin an entry, for everybody who sees its alert or incident. One that is pinned stays so, and nothing is recorded.

    Raises Missing, Forbidden (level *edit* on the incident, work on the alert), Refused for more than 20 pins."""
    entry, subject = _locked(actor, entry_id)
    if entry.kind in NEVER:
        raise Refused(_("This entry cannot be pinned."), field="entry")
    if TimelinePin.objects.filter(entry=entry).exists():
        return entry
    if _pins(subject).count() >= PINS_AT_MOST:
        raise Refused(
            _("At most %(pins_at_most)s entries are pinned. Unpin one first.") % {"pins_at_most": PINS_AT_MOST},
            field="entry",
        )
    TimelinePin.objects.create(entry=entry, pinned_by=actor.name[:200], pinned_at=clock.now())
    timeline.record("entry.pinned", subject, actor, data={"entry": entry.pk}, touch=True)
    return entry


@transaction.atomic
def unpin(actor: Actor, entry_id: int) -> TimelineEntry:
    """Take the pin away again; one that is not pinned changes nothing. Raises as ``pin``."""
    entry, subject = _locked(actor, entry_id)
    if TimelinePin.objects.filter(entry=entry).delete()[0]:
        timeline.record("entry.unpinned", subject, actor, data={"entry": entry.pk}, touch=True)
    return entry


def _locked(actor: Actor, entry_id: int) -> tuple[TimelineEntry, Subject]:
    """The entry, and its subject locked: two who pin at once come one after the other."""
    entry = TimelineEntry.objects.filter(pk=entry_id).first() if entry_id < 2**63 else None
    with missing_as(_("There is no such entry.")):
        if entry is None:
            raise Missing("")
        if entry.alert_id is not None:
            return entry, alert_for(actor, entry.alert_id, work=True, lock=True)
        # What was merged is read with the incident that it went to, and pinned there.
        return entry, incident_for(actor, end_of(entry.incident_id or 0), level="edit", lock=True)


def _pins(subject: Subject) -> QuerySet[TimelinePin]:
    if isinstance(subject, Alert):
        return TimelinePin.objects.filter(entry__alert=subject)
    return TimelinePin.objects.filter(entry__incident__in=[subject.pk, *absorbed(subject)])
