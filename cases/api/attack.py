"""ATT&CK: techniques by name, and how many alerts and incidents bear each (casework.md 6)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented
from cases.api.base import ApiViewSet
from cases.attack.catalog import Technique
from cases.attack.counts import of_alerts, of_incidents
from cases.attack.stored import catalog
from cases.filters import FilterError, moment

READ_CASES = gettext_noop("The permission to see cases is missing.")
FOUND_AT_MOST = 1000


class TechniqueShape(s.Serializer[Any]):
    """A technique or sub-technique of ATT&CK Enterprise."""

    id = s.CharField()
    name = s.CharField()
    full_name = s.CharField(help_text="A sub-technique's name after its technique's")
    tactics = s.ListField(child=s.CharField(), help_text="Names, in the order of the matrix; none: withdrawn")
    replaced_by = s.CharField(allow_null=True, help_text="Of a withdrawn one: the id that took its place")


class TechniqueList(s.Serializer[Any]):
    """Techniques, in one page."""

    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    results = TechniqueShape(many=True)


class MatrixRow(s.Serializer[Any]):
    """A technique with its figures."""

    id = s.CharField()
    name = s.CharField(help_text="Empty for an id that the installed release does not know")
    tactics = s.ListField(child=s.CharField())
    alerts = s.IntegerField(help_text="With its sub-techniques, each alert once")
    incidents = s.IntegerField()


class Matrix(s.Serializer[Any]):
    """The techniques that alerts and incidents bear."""

    version = s.CharField(help_text="Release of ATT&CK")
    since = s.CharField()
    more = s.BooleanField(help_text="There is more than was counted: the figures are the least there are")
    rows = MatrixRow(many=True)


class Attack(ApiViewSet):
    """``/attack/``."""

    @extend_schema(
        summary="Find ATT&CK techniques",
        request=None,
        responses={200: documented.once(TechniqueList)} | documented.refusals(400, 403),
        parameters=[
            OpenApiParameter("q", str, description="An id, its beginning, or words of the name. Without it: all."),
            OpenApiParameter("tactic", str, description="A tactic's id or short name: TA0001, initial-access."),
            documented.FIELDS,
        ],
    )
    def list(self, request: Request) -> Response:
        """Best first, with `q`; else by id. Withdrawn ones are found by their whole id alone."""
        self.need("view_cases", _(READ_CASES))
        known = catalog()
        text, tactic = (request.query_params.get(name, "").strip() for name in ("q", "tactic"))
        slug = next((one.slug for one in known.tactics if tactic.casefold() in (one.id.casefold(), one.slug)), "")
        if tactic and not slug:
            raise ValidationError(
                {"tactic": [_("One of: %(tactics)s.") % {"tactics": ", ".join(one.slug for one in known.tactics)}]}
            )
        every = [one for one in known.techniques.values() if one.current]
        found = (
            known.search(text, FOUND_AT_MOST, tactic=slug) if text or slug else sorted(every, key=lambda one: one.id)
        )
        return Response({"next": None, "previous": None, "results": [technique_dict(one) for one in found]})

    @extend_schema(**documented.read("Read an ATT&CK technique", TechniqueShape, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """By its id."""
        self.need("view_cases", _(READ_CASES))
        found = catalog().get(id)
        if found is None:
            raise NotFound
        return Response(technique_dict(found))

    @extend_schema(
        summary="Count ATT&CK techniques",
        request=None,
        responses={200: Matrix} | documented.refusals(400, 403),
        parameters=[OpenApiParameter("since", str, description="ISO 8601, or 24h, 7d, 30d (the default).")],
    )
    def matrix(self, request: Request) -> Response:
        """Of alerts received and incidents opened since then that you may see."""
        self.need("view_cases", _(READ_CASES))
        since, known = request.query_params.get("since") or "30d", catalog()
        try:
            at = moment(since)
        except FilterError as error:
            raise ValidationError({"since": [str(error)]}) from error
        alerts, incidents = of_alerts(self.user, at, known), of_incidents(self.user, at, known)
        ids = sorted({*alerts.own, *incidents.own, *alerts.family, *incidents.family})
        rows = [
            {
                "id": id,
                "name": known.name(id),
                "tactics": known.tactic_names(one) if (one := known.get(id)) else [],
                "alerts": alerts.of(id),
                "incidents": incidents.of(id),
            }
            for id in ids
        ]
        more = alerts.more or incidents.more
        return Response({"version": known.version, "since": since, "more": more, "rows": rows})


def technique_dict(one: Technique) -> dict[str, Any]:
    """A technique in JSON."""
    return {
        "id": one.id,
        "name": one.name,
        "full_name": one.full,
        "tactics": catalog().tactic_names(one),
        "replaced_by": one.now or None,
    }
