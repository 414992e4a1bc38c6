"""What was put on the incident itself: observables, assets, links to other incidents."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.moving.base import Part, Told, Way, left
from cases.actions.relations import closes_circle
from cases.choices import RelationKind
from cases.models import IncidentAsset, IncidentObservable, IncidentRelation


class Named(Part):
    """Rows that name something once for each incident. One that is there already stays on the merged incident."""

    def __init__(self, model: Any, column: str, label: str | Promise) -> None:
        self.model, self.column, self.label = model, column, label
        self.name = f"{column}s"

    @classmethod
    def all(cls) -> list[Part]:
        """Observables and assets."""
        return [
            cls(IncidentObservable, "observable", gettext_lazy("observables of its own")),
            cls(IncidentAsset, "asset", gettext_lazy("assets of its own")),
        ]

    def preview(self, way: Way) -> Told:
        """Those that the other one does not have."""
        moves = self._going(way).count()
        stays = self.model.objects.filter(incident=way.source).count() - moves
        return Told(moves, stays, _("%s has them too") % way.target.number if stays else "")

    def move(self, way: Way) -> list[int]:
        """Ids of the rows that went."""
        ids = sorted(self._going(way).values_list("pk", flat=True))
        self.model.objects.filter(pk__in=ids).update(incident=way.target)
        return ids

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were taken off since."""
        return self._removed(len(kept) - self._there(way, kept).count())

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody took off since; in the place of one comes that of a later merge that has it too."""
        rows = list(self._there(way, kept).order_by("pk"))
        self.model.objects.filter(pk__in=[row.pk for row in rows]).update(incident=way.source)
        for row in rows:
            self._take_heirs(way, getattr(row, f"{self.column}_id"))
        return self._removed(len(kept) - len(rows))

    def _there(self, way: Way, kept: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.filter(pk__in=kept, incident=way.target)
        return rows

    def _removed(self, number: int) -> list[str]:
        told = {"what": self.label}
        one = _("One of the %(what)s was removed since") % told
        return left(number, one, _("%(n)s %(what)s were removed since") % {"n": number, **told})

    def _take_heirs(self, way: Way, named: int) -> None:
        for move in way.later:
            row = self.model.objects.filter(incident=move.source, **{self.column: named}).first()
            if row is not None:
                self.model.objects.filter(pk=row.pk).update(incident=way.target)
                move.moved[self.name] = [*move.moved.get(self.name, []), row.pk]
                return

    def _going(self, way: Way) -> QuerySet[Any]:
        there = self.model.objects.filter(incident=way.target).values(self.column)
        rows: QuerySet[Any] = self.model.objects.filter(incident=way.source).exclude(**{f"{self.column}__in": there})
        return rows


class Relations(Part):
    """Links to other incidents: as the merged one was a child of another, the other one is it now. The link between
    the two, what the other one has already, and what would lead it back to itself stay on the merged incident."""

    name, label = "relations", gettext_lazy("links to other incidents")

    def preview(self, way: Way) -> Told:
        """Those that the other one does not have."""
        going, staying = _sorted(way)
        return Told(
            len(going), staying, _("between the two, there already, or going round in a circle") if staying else ""
        )

    def move(self, way: Way) -> list[list[Any]]:
        """``[id, which end]`` of those that went."""
        going, _staying = _sorted(way)
        fit = (row for row in going if not _round(row, way))  # again: one that went may have closed it
        return [[row.pk, _turn(row, way.source.pk, way.target.pk)] for row in fit]

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were removed or turned since."""
        return _removed(len(kept) - len(_as_they_went(way, kept)))

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that are there still, as they went."""
        fit = _as_they_went(way, kept)
        for row in fit:
            _turn(row, way.target.pk, way.source.pk)
            _take_heirs(way, row)
        return _removed(len(kept) - len(fit))


def _as_they_went(way: Way, kept: Any) -> list[IncidentRelation]:
    rows = IncidentRelation.objects.in_bulk([pk for pk, _end in kept])
    return [rows[pk] for pk, end in kept if pk in rows and getattr(rows[pk], f"{end}_id") == way.target.pk]


def _removed(number: int) -> list[str]:
    return left(number, _("1 link was removed since"), _("%(n)s links were removed since"))


def _take_heirs(way: Way, gone: IncidentRelation) -> None:
    """The same link, that a later merge left where it was because this one's was there, comes in its place."""
    for move in way.later:
        later = Way(way.actor, move.source, way.target)
        same = (row for row in _sorted(later)[0] if _pair(row, move.source.pk) == _pair(gone, way.source.pk))
        row = next(same, None)
        if row is not None:
            end = _turn(row, move.source.pk, way.target.pk)
            move.moved[Relations.name] = [*move.moved.get(Relations.name, []), [row.pk, end]]
            return


def _sorted(way: Way) -> tuple[list[IncidentRelation], int]:
    """Those that can go, and how many cannot."""
    theirs = {_pair(row, way.target.pk) for row in _of(way.target.pk)}
    rows = list(_of(way.source.pk))
    going = [row for row in rows if _other(row, way.source.pk) != way.target.pk]
    going = [row for row in going if _pair(row, way.source.pk) not in theirs and not _round(row, way)]
    return going, len(rows) - len(going)


def _round(row: IncidentRelation, way: Way) -> bool:
    """Whether the link would close a circle once it is the target's."""
    first, second = (way.target.pk if pk == way.source.pk else pk for pk in (row.incident_id, row.other_id))
    return closes_circle(RelationKind(row.kind), first, second)


def _of(pk: int) -> QuerySet[IncidentRelation]:
    return IncidentRelation.objects.filter(Q(incident=pk) | Q(other=pk)).order_by("pk")


def _other(row: IncidentRelation, pk: int) -> int:
    return row.other_id if row.incident_id == pk else row.incident_id


def _pair(row: IncidentRelation, pk: int) -> tuple[str, int]:
    return row.kind, _other(row, pk)


def _turn(row: IncidentRelation, old: int, new: int) -> str:
    """Let the end that is ``old`` be ``new``; which one it was."""
    end = "incident" if row.incident_id == old else "other"
    setattr(row, f"{end}_id", new)
    row.save(update_fields=[end])
    return end
