"""Merging incidents into one (casework.md 9): what was in several is in one, and each of the others is a closed husk
that says where it went. Nothing that was written is rewritten: timelines stay where they are, and are read together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import sight
from cases.actions.base import save
from cases.actions.merge_checks import refusal_of, sight_of
from cases.actions.moving import Part, Told, Way, parts
from cases.actions.moving.alerts import lock_all
from cases.actions.moving.fields import MARKS, raised
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import CaseError, Refused
from cases.models import Incident, IncidentMove
from cases.permissions import incident_for, parse_number
from cases.sla import clocks, joining
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.clock import iso

IncidentId = str | int
MERGED_AT_MOST = 20
SAVED = ("alert_count", "tags", "techniques", "custom_fields", *MARKS, "merged_count")
COUNTED = ("tasks", "observables", "assets", "evidence")  # told in numbers; fields and owners have entries of their own
HUSK = ("alert_count", "status", "closed_at", "merged_into", "merged_at", "restricted", "access_of")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge of ``source`` into ``target`` would do: ``told`` by part, ``raised`` fields with the graver value,
    ``sight`` who would see what, ``refusal`` why it cannot be."""

    source: Incident
    target: Incident
    told: list[tuple[Part, Told]] = field(default_factory=list)
    raised: dict[str, Any] = field(default_factory=dict)
    sight: list[str] = field(default_factory=list)
    refusal: CaseError | None = None


def preview(actor: Actor, into: IncidentId, which: Iterable[IncidentId]) -> list[Preview]:
    """What ``merge`` would do with each, or why not. Nothing is changed. Raises as ``merge`` for incidents that the
    actor may not merge, but tells refusals of the merge itself."""
    target, sources = _found(actor, into, which, lock=False)
    return [_preview(Way(actor, source, target)) for source in sources]


def _preview(way: Way) -> Preview:
    told = [(part, part.preview(way)) for part in parts()]
    listed = [(part, one) for part, one in told if one.moves or one.stays]
    return Preview(way.source, way.target, listed, raised(way.source, way.target), sight_of(way), refusal_of(way))


@transaction.atomic
def merge(
    actor: Actor, into: IncidentId, which: Iterable[IncidentId], *, expected_version: Expected = None
) -> Incident:
    """Merge one or more incidents into ``into``. Their rows are locked in the order of their ids, then their alerts in
    the order of theirs, so that two merges at the same time come one after the other: the second finds what the first
    has done.

    Raises Missing, Forbidden without *edit* on ``into`` or *close* on one of the others, Refused for an incident with
    itself or too many, Conflict for one that was merged already, is on hold or that more people would see, Stale."""
    target, sources = _found(actor, into, which, lock=True)
    check_version(target, expected_version)
    lock_all(sources)
    for source in sources:
        way = Way(actor, source, target)
        if (error := refusal_of(way)) is not None:
            raise error
        merge_locked(way)
    return target


def merge_locked(way: Way, **said: Any) -> IncidentMove:
    """Take over all parts of a locked incident, and leave a husk. ``said``: more for the entries of both timelines."""
    source, target, now = way.source, way.target, clock.now()
    before: dict[str, Any] = {"status": source.status, "closed_at": iso(source.closed_at)}
    before |= {"restricted": source.restricted, "within": target.restricted}
    waits = joining.waits_for_somebody(target)
    kept = {part.name: part.move(way) for part in parts()}
    move = IncidentMove.objects.create(
        kind=IncidentMove.Kind.MERGE,
        source=source,
        target=target,
        moved={name: one for name, one in kept.items() if one},
        before=before,
        **made_by(way.actor),
    )
    source.status, source.closed_at = IncidentStatus.CLOSED, source.closed_at or now
    source.merged_into, source.merged_at = target, now
    target.merged_count += 1
    target.__dict__.pop("absorbed", None)
    counts = {name: len(kept[name]) for name in COUNTED if kept[name]}
    about = {"move": move.pk, "alert_count": len(kept["alerts"]), **counts, **said}
    timeline.record("incident.merged_into", source, way.actor, data={**_named(target), **about})
    timeline.record("incident.merged", target, way.actor, data={**_named(source), **about})
    save(source, *HUSK)
    save(target, *SAVED)
    sight.follow(target)
    move.before["clocks"] = joining.take_earlier(source, target)
    clocks.follow(target, taken=target.owner_rows.exists())
    if waits is not None and joining.waits_for_somebody(target) is None:
        move.before["acknowledged"] = waits
    move.save(update_fields=["before"])
    return move


def made_by(actor: Actor) -> dict[str, Any]:
    """Who moves it, and when, as the row keeps it."""
    user: User | None = actor.user if actor.type == "user" else None
    return {"made_by": user, "made_by_name": actor.name[:200], "made_at": clock.now()}


def _named(incident: Incident) -> dict[str, Any]:
    return {"incident": incident.number, "title": incident.title}


def _found(
    actor: Actor, into: IncidentId, which: Iterable[IncidentId], *, lock: bool
) -> tuple[Incident, list[Incident]]:
    """The incidents, fetched for what happens to each, in the order of their ids."""
    aim = parse_number(into, "INC")
    wanted = list(dict.fromkeys(parse_number(one, "INC") for one in which))
    if not wanted:
        raise Refused(_("Name an incident to merge."), field="incidents")
    if aim in wanted:
        raise Refused(_("An incident cannot be merged with itself."), field="incidents")
    if len(wanted) > MERGED_AT_MOST:
        raise Refused(
            _("At most %(merged_at_most)s incidents at once.") % {"merged_at_most": MERGED_AT_MOST}, field="incidents"
        )
    found = {
        pk: incident_for(actor, pk, level="edit" if pk == aim else "close", lock=lock) for pk in sorted({aim, *wanted})
    }
    return found[aim], [found[pk] for pk in wanted]
