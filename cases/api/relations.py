"""Typed links between incidents (casework.md 6)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import relations
from cases.actions.relations import Related
from cases.api import documented
from cases.api import move_shapes as m
from cases.api.base import ApiViewSet, guarded, whole
from cases.api.representation import page_url
from cases.choices import IncidentStatus, Severity
from cases.models import Incident
from cases.permissions import incident_for, parse_number
from soar.lib.clock import iso


class Relations(ApiViewSet):
    """``/incidents/{id}/related/``."""

    reads = "view_cases"

    @extend_schema(**documented.whole_list("List an incident's links to others", m.RELATION_PAGE))
    def list(self, request: Request, id: str) -> Response:
        """Those to incidents that you may see, in both directions."""
        rows = relations.related_to(self.user, incident_for(self.user, id))
        return Response({"next": None, "previous": None, "results": [_relation(one) for one in rows]})

    @extend_schema(**documented.create("Link an incident to another", m.NewRelation, m.Relation, tagged=False))
    def create(self, request: Request, id: str) -> Response:
        """The other one has the inverse. Said twice it changes nothing; 409 for what goes round in a circle."""
        given = self.body(m.NewRelation)
        return self.once(
            lambda: Response(
                _relation(relations.relate(self.actor, id, given["incident"], given["relation"])), status=201
            )
        )

    @extend_schema(**documented.remove("Take a link to another incident away", codes=(409,)))
    def destroy(self, request: Request, id: str, relation: str) -> Response:
        """On both incidents."""
        pk, row = parse_number(id, "INC"), whole(relation)
        guarded(request, Incident, pk, 1, lambda: relations.unrelate(self.actor, id, row))
        return Response(status=204)


def _relation(one: Related) -> dict[str, Any]:
    other = one.other
    return {
        "id": one.row.pk,
        "relation": one.word,
        "incident": {
            "id": other.pk,
            "number": other.number,
            "url": page_url(other.number),
            "title": other.title,
            "severity": Severity(other.severity).word,
            "status": IncidentStatus(other.status).word,
        },
        "added_by": one.row.added_by,
        "added_at": iso(one.row.added_at),
    }
