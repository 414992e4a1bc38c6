"""Evidence: the rows go, the bytes lie where they lie."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import timeline
from cases.actions.moving.base import Part, Told, Way, left
from cases.actors import Actor
from cases.models import Evidence, Incident


class Files(Part):
    """Pieces of evidence, removed ones too: their tombstones are part of the custody. A file that the other incident
    has as well stays, with its own custody."""

    name, label = "evidence", gettext_lazy("pieces of evidence")

    def preview(self, way: Way) -> Told:
        """Those that the other one does not have."""
        moves = _going(way).count()
        stays = Evidence.objects.filter(incident=way.source).count() - moves
        return Told(moves, stays, _("%s has the same files") % way.target.number if stays else "")

    def move(self, way: Way) -> list[list[int]]:
        """``[id, version]`` of those that went."""
        rows = list(_going(way).order_by("pk"))
        carry(way.actor, rows, way.source, way.target)
        return [[row.pk, row.version] for row in rows]

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that were changed or removed since."""
        return _unlike(_there(way, kept), kept)

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that nobody described anew or removed since."""
        rows, versions = _there(way, kept), dict(kept)
        same = [row for row in rows if row.version == versions[row.pk]]
        carry(way.actor, same, way.target, way.source)
        for row in same:
            if row.removed_at is None:
                _take_heirs(way, row.sha256)
        return _unlike(rows, kept)


def carry(actor: Actor, rows: list[Evidence], source: Incident, target: Incident) -> None:
    """Give pieces to another locked incident, whose timeline tells of each: it is part of the custody. The database
    lets evidence leave its incident only in a transaction that says so, and that is said here alone."""
    if not rows:
        return
    _allow("on")
    Evidence.objects.filter(pk__in=[row.pk for row in rows]).update(incident=target)
    _allow("off")
    for row in rows:
        data = {"id": row.pk, "name": row.name, "sha256": row.sha256, "from": source.number}
        timeline.record("evidence.moved", target, actor, data=data)


def _there(way: Way, kept: Any) -> list[Evidence]:
    rows = Evidence.objects.filter(pk__in=[pk for pk, _version in kept], incident=way.target)
    return list(rows.order_by("pk"))


def _unlike(rows: list[Evidence], kept: Any) -> list[str]:
    """What is not as it went, in words."""
    versions = dict(kept)
    changed = sorted(row.name for row in rows if row.version != versions[row.pk])
    told = [_("The evidence “%s” was changed since") % name for name in changed]
    gone = len(versions) - len(rows)
    return told + left(gone, _("1 piece of evidence is gone"), _("%(n)s pieces of evidence are gone"))


def _allow(word: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('soar.move', %s, true)", [word])


def _take_heirs(way: Way, sha256: str) -> None:
    """The same file that a later merge left where it was, because this one's was there, comes in its place."""
    for move in way.later:
        row = Evidence.objects.filter(incident=move.source, sha256=sha256, removed_at=None).first()
        if row is not None:
            carry(way.actor, [row], move.source, way.target)
            move.moved[Files.name] = [*move.moved.get(Files.name, []), [row.pk, row.version]]
            return


def _going(way: Way) -> QuerySet[Evidence]:
    there = Evidence.objects.filter(incident=way.target, removed_at=None).values("sha256")
    return Evidence.objects.filter(incident=way.source).exclude(Q(removed_at=None) & Q(sha256__in=there))
