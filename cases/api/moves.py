"""Merging and splitting incidents, with previews and undo (casework.md 9)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import merge, merge_undo, split
from cases.api import bodies, documented, paging, shapes
from cases.api import move_shapes as m
from cases.api.base import ApiViewSet, tagged, whole
from cases.api.etags import expected_version
from cases.api.representation import incident_dict
from cases.choices import Severity
from cases.errors import CaseError
from cases.models import IncidentMove
from cases.permissions import incident_for
from soar.lib.clock import iso


class Moves(ApiViewSet):
    """``/incidents/{id}/merge/``, ``split/``, ``moves/``."""

    reads = "view_cases"

    @extend_schema(**documented.verb("Merge incidents into this one", m.Merge, shapes.Incident))
    def merge(self, request: Request, id: str) -> Response:
        """The others are closed and say where they went; it can be undone for 24 hours. 409 where something is in the
        way: a legal hold, one that was merged already, or a restricted one that more people would see."""
        wanted = self.body(m.Merge)["incidents"]
        expected = expected_version(request)
        return self.once(lambda: tagged(incident_dict(merge.merge(self.actor, id, wanted, expected_version=expected))))

    @extend_schema(**documented.verb("Preview a merge", m.Merge, m.MergePreview, tagged=False, keyed=False))
    def preview_merge(self, request: Request, id: str) -> Response:
        """What would go, what would stay, who would see what, and whether it can be. Nothing is changed."""
        found = merge.preview(self.actor, id, self.body(m.Merge)["incidents"])
        possible = all(one.refusal is None for one in found)
        return Response({"possible": possible, "incidents": [_preview(one) for one in found]})

    @extend_schema(**documented.create("Split an incident", m.Split, shapes.Incident))
    def split(self, request: Request, id: str) -> Response:
        """Opens an incident from some of its alerts; who sees this one sees that one. It can be undone for 24 hours."""
        given = self.body(m.Split)
        expected = expected_version(request)
        return self.once(
            lambda: tagged(incident_dict(split.split(self.actor, id, expected_version=expected, **given)), 201)
        )

    @extend_schema(**documented.verb("Preview a split", m.Split, m.SplitPreview, tagged=False, keyed=False))
    def preview_split(self, request: Request, id: str) -> Response:
        """What would be in the new incident. Nothing is changed."""
        given = self.body(m.Split)
        given.pop("summary", None)
        return Response(_split_preview(split.preview(self.actor, id, **given)))

    @extend_schema(**documented.listing("List an incident's merges and splits", m.MOVE_PAGE))
    def list(self, request: Request, id: str) -> Response:
        """Newest first, as far as you see the other incident."""
        rows = merge_undo.moves_seen(self.user, incident_for(self.user, id))
        found = paging.page(request, rows, paging.NEWEST)
        return Response(paging.paged(request, found, [move_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a merge or split", m.MoveUndo, tagged=False))
    def retrieve(self, request: Request, id: str, move: str) -> Response:
        """With what an undo would leave where it is, or why it cannot be undone."""
        row = merge_undo.move_for(self.user, incident_for(self.user, id), whole(move))
        told = merge_undo.preview(self.actor, row)
        return Response({**move_dict(row), "would_leave": told.left, "refusal": _refusal(told.refusal)})

    @extend_schema(**documented.verb("Undo a merge or split", bodies.Nothing, m.Move, tagged=False))
    def undo(self, request: Request, id: str, move: str) -> Response:
        """Within 24 hours. Puts back what was not changed since, and names in `left` what it cannot."""
        self.body(bodies.Nothing)
        pk = whole(move)
        return self.once(lambda: Response(move_dict(merge_undo.undo(self.actor, id, pk))))


def move_dict(move: IncidentMove) -> dict[str, Any]:
    """A merge or split in JSON."""
    return {
        "id": move.pk,
        "kind": move.kind,
        "source": f"INC-{move.source_id}",
        "target": f"INC-{move.target_id}",
        "made_by": move.made_by_name,
        "made_at": iso(move.made_at),
        "undo_until": iso(move.undo_until) if move.can_undo else None,
        "undone_by": move.undone_by_name or None,
        "undone_at": iso(move.undone_at),
        "left": move.left,
    }


def _preview(one: merge.Preview) -> dict[str, Any]:
    target = one.target
    return {
        "incident": one.source.number,
        "title": one.source.title,
        "parts": [
            {"part": part.name, "moves": told.moves, "stays": told.stays, "why": told.why} for part, told in one.told
        ],
        "severity": Severity(one.raised.get("severity", target.severity)).word,
        "tlp": one.raised.get("tlp", target.tlp),
        "pap": one.raised.get("pap", target.pap),
        "sight": one.sight,
        "refusal": _refusal(one.refusal),
    }


def _split_preview(one: split.Preview) -> dict[str, Any]:
    return {
        "possible": one.refusal is None,
        "title": one.title,
        "severity": one.severity.word,
        "alerts": [alert.number for alert in one.alerts],
        "observables": one.observables,
        "notes": one.notes,
        "besides": one.besides,
        "refusal": _refusal(one.refusal),
    }


def _refusal(error: CaseError | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"code": str(error.extra.get("code") or error.code), "detail": str(error.message)}
