"""Taking a merge or a split back within 24 hours (casework.md 9): what was not changed since goes back where it was,
and what cannot is named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions import sight
from cases.actions.base import save
from cases.actions.merge import HUSK, SAVED, merge_locked
from cases.actions.merge_checks import refusal_of
from cases.actions.moving import Part, Way, parts
from cases.actions.moving.alerts import lock_all
from cases.actions.moving.base import MERGE_UNDONE, SPLIT_UNDONE
from cases.actions.moving.owners import Owners
from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Missing
from cases.holds import check_incidents
from cases.models import Incident, IncidentMove
from cases.permissions import entitled, incident_for
from cases.sla import clocks, joining
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib import clock


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would leave where it is, in words; or why it cannot be."""

    left: list[str]
    refusal: CaseError | None = None


def moves_seen(user: User | None, incident: Incident) -> QuerySet[IncidentMove]:
    """Merges and splits of an incident that the person may see, newest first, as far as they see the other one too."""
    rows = IncidentMove.objects.filter(Q(source=incident) | Q(target=incident)).select_related("source", "target")
    if user is None:
        return rows
    seen = Incident.objects.visible_to(user).order_by().values("pk")
    return rows.filter(source__in=seen, target__in=seen)


def move_for(who: Actor | User, incident: Incident, pk: int) -> IncidentMove:
    """One of them. Raises Missing."""
    user = who.user if isinstance(who, Actor) else who
    move = moves_seen(user, incident).filter(pk=pk).first()
    if move is None:
        raise Missing(_("There is no such merge or split."))
    return move


@transaction.atomic
def undo(actor: Actor, incident_id: int | str, pk: int) -> IncidentMove:
    """Take the merge or split back. What was put into the other incident since stays there; what stands on timelines
    stays there. A split is taken back by merging what was split off, with all that came to it since.

    Raises Missing, Forbidden without *edit* on both, Conflict after 24 hours, for what was undone already, or where
    something stands in the way: a legal hold, a later merge, a restriction."""
    move = move_for(actor, incident_for(actor, incident_id), pk)
    found = {one: incident_for(actor, one, lock=True) for one in sorted((move.source_id, move.target_id))}
    move = IncidentMove.objects.select_for_update().get(pk=move.pk)
    way = Way(actor, found[move.source_id], found[move.target_id], _later(move), why=MERGE_UNDONE)
    _check(move, way)
    lock_all(found.values())  # what goes back goes in the opposite order, alerts last
    move.left = _split_back(move, way) if move.kind == IncidentMove.Kind.SPLIT else _merge_back(move, way)
    move.undone_at, move.undone_by_name = clock.now(), actor.name[:200]
    move.save(update_fields=["left", "undone_at", "undone_by_name"])
    return move


def _later(move: IncidentMove) -> list[IncidentMove]:
    """The merges into the same incident that came after this one and last, the first one first. Nothing changes in
    their incidents while the lock on the one they went to is held."""
    rows = IncidentMove.objects.filter(kind=IncidentMove.Kind.MERGE, target=move.target_id, undone_at=None)
    return list(rows.filter(pk__gt=move.pk, source__merged_into=move.target_id).select_related("source").order_by("pk"))


def preview(actor: Actor, move: IncidentMove) -> UndoPreview:
    """What ``undo`` would leave of a merge or split that the actor sees (``move_for``); a split leaves nothing."""
    way = Way(actor, move.source, move.target, _later(move))
    try:
        _check(move, way)
        if move.kind == IncidentMove.Kind.SPLIT:
            _way_back(move, way)
            return UndoPreview([])
    except CaseError as error:
        return UndoPreview([], error)
    return UndoPreview([one for part, kept in _gone_along(move) for one in part.stays(way, kept)])


def _check(move: IncidentMove, way: Way) -> None:
    what = _("merge") if move.kind == IncidentMove.Kind.MERGE else _("split")
    if move.undone_at is not None:
        raise Conflict(
            _("This %(what)s was undone already, by %(undone_by_name)s.")
            % {"what": what, "undone_by_name": move.undone_by_name},
            code="undone",
        )
    if not move.can_undo:
        raise Conflict(
            _("A %(what)s can be undone for 24 hours, and these have passed.") % {"what": what}, code="too_late"
        )
    for incident in (way.source, way.target):
        if way.actor.user is not None and not entitled(way.actor.user, incident, "edit"):
            raise Forbidden(_("You may see %(number)s but not edit it.") % {"number": incident.number})
    check_incidents([way.target.pk])  # what goes would be kept by nothing
    if move.kind == IncidentMove.Kind.MERGE:
        _check_merge(move, way)


def _check_merge(move: IncidentMove, way: Way) -> None:
    source, target = way.source, way.target
    if target.merged_at is not None:
        raise Conflict(
            _("%(number)s was itself merged since. Undo that first.") % {"number": target.number},
            code="incident_merged",
        )
    if source.merged_into_id != target.pk:
        raise Conflict(
            _("%(number)s is not in %(target_number)s any more.")
            % {"number": source.number, "target_number": target.number}
        )
    user, own = way.actor.user, bool(move.before.get("restricted"))
    if target.restricted and not own and user is not None and not entitled(user, target, "manage"):
        raise Forbidden(
            _(
                "%(number)s is restricted and %(source_number)s was not: more people could see what goes "
                "back. Only somebody who manages its access can undo this."
            )
            % {"number": target.number, "source_number": source.number}
        )


def _merge_back(move: IncidentMove, way: Way) -> list[str]:
    source, target = way.source, way.target
    if copied := sight.come_out(move, source, target):
        data: dict[str, Any] = {"object": "incident", "id": source.pk, "source": target.number, "rows": copied}
        audit.record(way.actor.user, "access.copied", source.number, **data)
    left = [str(one) for part, kept in _gone_along(move) for one in part.back(way, kept)]
    closed = move.before.get("closed_at")
    source.status, source.closed_at = move.before["status"], parse_datetime(closed) if closed else None
    source.merged_into = source.merged_at = None
    target.merged_count = max(target.merged_count - 1, 0)
    target.__dict__.pop("absorbed", None)
    gone = {"incident": source.number, "move": move.pk, "left": left}
    timeline.record("incident.restored", source, way.actor, data={"incident": target.number, "move": move.pk})
    timeline.record("incident.merge_undone", target, way.actor, data=gone)
    for later in way.later:
        later.save(update_fields=["moved"])
    save(source, *HUSK)
    save(target, *SAVED)
    sight.follow(source)
    _clocks_back(move, way)
    for incident in (source, target):
        clocks.follow(incident)
    return left


def _gone_along(move: IncidentMove) -> list[tuple[Part, Any]]:
    """What went in the merge with what its part kept of it, in the order in which it goes back."""
    return [(part, move.moved[part.name]) for part in reversed(parts()) if move.moved.get(part.name)]


def _clocks_back(move: IncidentMove, way: Way) -> None:
    """What the merge did to the other one's clocks; what a later one does to them as well is its own from then on."""
    if (stopped := move.before.get("acknowledged")) is not None:
        _wait_again(way, stopped)
    joining.give_back(way.target, move.before.get("clocks", {}), way.later)
    for later in way.later:
        later.save(update_fields=["before"])


def _wait_again(way: Way, stopped: int) -> None:
    """The clock that the merge stopped by bringing owners runs again; while those who came with a later one own it
    still, the undo of that one lets it."""
    heir = next((later for later in way.later if later.moved.get(Owners.name)), None)
    if heir is not None and way.target.owner_rows.exists():
        heir.before["acknowledged"] = stopped
    else:
        joining.wait_again(way.target, stopped)


def _split_back(move: IncidentMove, way: Way) -> list[str]:
    """The way back of a split is a merge: whatever came to the new incident since comes along."""
    new, back = way.target, _way_back(move, way)
    if new.severity == move.before.get("severity"):
        # Its alerts gave it, not a person: the whole keeps the severity that it has. The husk's is not saved.
        new.severity = min(new.severity, way.source.severity)
    merge_locked(back, undo="split")
    return []


def _owners_gone(move: IncidentMove, way: Way) -> frozenset[int]:
    """Who owned both after the split, and one of them has left since: nobody gives it back to them."""
    return frozenset(move.before.get("owners", [])) - set(way.source.owner_rows.values_list("user_id", flat=True))


def _way_back(move: IncidentMove, way: Way) -> Way:
    """From what was split off to the whole. Raises what stands in the way."""
    for incident in (way.source, way.target):
        if incident.merged_at is not None:
            raise Conflict(
                _("%(number)s was itself merged since. Undo that first.") % {"number": incident.number},
                code="incident_merged",
            )
    back = Way(way.actor, way.target, way.source, gone=_owners_gone(move, way), why=SPLIT_UNDONE)
    if (error := refusal_of(back)) is not None:
        raise error
    return back
