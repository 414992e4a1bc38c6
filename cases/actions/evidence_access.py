"""Fetching a piece of evidence for a person, and writing down who read it (casework.md 12)."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import Conflict, Missing, Stale
from cases.models import Evidence, EvidenceAccess, Incident
from cases.permissions import incident_for
from soar.accounts.models import User
from soar.lib import clock, context

VERBS = ("viewed", "downloaded", "downloaded_zip")


def evidence_for(who: Actor | User, pk: int, *, level: str = "view", lock: bool = False) -> Evidence:
    """The piece with its incident, if ``who`` may see that and holds ``level`` on it. A tombstone is found as well.

    ``lock`` takes the incident's row lock, which guards all its evidence. Raises Missing or Forbidden."""
    incident_id = Evidence.objects.filter(pk=pk).values_list("incident", flat=True).first()
    if incident_id is None:
        raise Missing(_("There is no evidence %(pk)s.") % {"pk": pk})
    try:
        incident = incident_for(who, incident_id, level=level, lock=lock)
    except Missing as error:
        raise Missing(_("There is no evidence %(pk)s.") % {"pk": pk}) from error
    # Read again: it may have changed before the lock was ours.
    piece = Evidence.objects.filter(pk=pk, incident=incident).first()
    if piece is None:
        raise Missing(_("There is no evidence %(pk)s.") % {"pk": pk})
    piece.incident = incident
    return piece


def open_incident_for(who: Actor | User, pk: int | str, *, lock: bool = False) -> Incident:
    """The incident, for somebody who may add to its evidence. Raises Missing, Forbidden, Conflict when it has ended."""
    incident = incident_for(who, pk, level="edit", lock=lock)
    check_open(incident)
    return incident


def check_open(incident: Incident) -> None:
    """Raise Conflict unless the incident is still worked on: an ended one keeps its evidence as it was."""
    status = IncidentStatus(incident.status)
    if not status.is_open:
        word = _(str(status.label)).lower()
        raise Conflict(
            _("%(number)s is %(word)s. Reopen it to change its evidence.") % {"number": incident.number, "word": word},
            code="incident_ended",
        )


def check_kept(piece: Evidence) -> None:
    """Raise Conflict for a piece of which only the tombstone is left."""
    if piece.is_removed:
        raise Conflict(
            _("%(name)s was removed by %(removed_by_name)s.")
            % {"name": piece.name, "removed_by_name": piece.removed_by_name},
            code="evidence_removed",
        )


def check_fresh(piece: Evidence, expected: int | None) -> None:
    """Raise Stale when the piece changed since the form or the ETag was made (casework.md 5)."""
    if expected is not None and piece.version != expected:
        raise Stale(_("The evidence was changed by somebody else in the meantime. Nothing was saved."), current=piece)


def note(actor: Actor, piece: Evidence, verb: str) -> EvidenceAccess:
    """Write down a reading and where it was asked for, before what is read goes out. ``verb`` is one of VERBS."""
    if verb not in VERBS:
        raise ValueError(verb)
    return EvidenceAccess.objects.create(
        evidence=piece,
        verb=verb,
        actor_type=actor.type,
        actor_id=actor.id,
        actor_name=actor.name[:200],
        address=context.address.get() or None,
        at=clock.now(),
    )
