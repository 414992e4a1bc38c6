"""The hand-over from shift to shift (casework.md 17)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import handovers
from cases.actions.base import team_of
from cases.api import documented
from cases.api.base import ApiViewSet, read_facts, whole
from cases.api.bodies import Nothing
from cases.api.fields import Body, Text, Whole
from cases.api.paging import page, paged
from cases.api.shapes import page_of
from cases.dashboard.shift import may_read_figures
from cases.models import HandOver, Incident, TimelineEntry
from cases.restricted_views import note_rows
from soar.lib.clock import iso

LISTS = tuple(handovers.LISTS)
COUNTED = "Alerts, counted to 10,000; null where teams were counted whose alerts you do not see"


class HandOverBody(Body):
    """A note in Markdown. ``team`` by name, null for everybody's shift; ``seen``: the newest hand-over that the caller
    knows (0: none), 409 if there is a newer one."""

    note = Text(max_length=handovers.NOTE_AT_MOST)
    team = Text(max_length=100, allow_null=True, required=False)
    seen = Whole(min_value=0, required=False)


class HandOverShape(s.Serializer[Any]):
    """A shift that was signed over. Of the incidents those that the caller may see."""

    id = s.IntegerField()
    team = s.CharField(allow_null=True)
    since = s.DateTimeField()
    signed_at = s.DateTimeField()
    signed_by = s.CharField()
    note = s.CharField()
    taken_at = s.DateTimeField(allow_null=True)
    taken_by = s.CharField(allow_null=True)
    received = s.IntegerField(allow_null=True, help_text=COUNTED)
    resolved = s.IntegerField(allow_null=True, help_text=COUNTED)
    opened = s.ListField(child=s.CharField(), help_text="Numbers of incidents")
    ended = s.ListField(child=s.CharField())
    changed = s.ListField(child=s.CharField(), help_text="Older ones that stay open and were changed")
    open = s.ListField(child=s.CharField(), help_text="Left open")
    told = s.ListField(child=s.IntegerField(), help_text="Timeline entries: what was done to those that go on")
    cut = s.ListField(child=s.CharField(), help_text="Which of the lists were longer than what is kept")
    url = s.URLField()


class HandOvers(ApiViewSet):
    """``/hand-overs/``."""

    reads = "view_cases"

    @extend_schema(**documented.listing("List hand-overs", page_of(HandOverShape)))
    def list(self, request: Request) -> Response:
        """Newest first: those of no team and of one's teams."""
        rows = HandOver.objects.visible_to(self.user).select_related("team", "signed_by", "taken_by")
        found = page(request, rows)
        return Response(paged(request, found, [self._shown(row) for row in found.rows]))

    @extend_schema(**documented.create("Sign a shift over", HandOverBody, HandOverShape, tagged=False))
    def create(self, request: Request) -> Response:
        """What changed since the hand-over before is kept with the note."""
        given = self.body(HandOverBody)

        def run() -> Response:
            team = team_of(given.get("team")) if given.get("team") else None
            row = handovers.sign(self.user, given["note"], team=team, seen=given.get("seen"))
            return Response(self._shown(row), status=201, headers={"Location": _url(row)})

        return self.once(run)

    @extend_schema(**documented.read("Read a hand-over", HandOverShape))
    def retrieve(self, request: Request, id: str) -> Response:
        """One of one's teams or of everybody."""
        return read_facts(request, self._shown(handovers.hand_over_for(self.user, whole(id))))

    @extend_schema(**documented.verb("Take a shift over", Nothing, HandOverShape, tagged=False))
    def take(self, request: Request, id: str) -> Response:
        """409 when somebody has; whoever signed it cannot."""
        return self.once(lambda: Response(self._shown(handovers.take(self.user, whole(id)))))

    def _shown(self, row: HandOver) -> dict[str, Any]:
        named = {pk for name in LISTS for pk in row.facts.get(name, [])}
        rows = Incident.objects.visible_to(self.user).filter(pk__in=named).only("restricted")
        note_rows(self.user, rows)
        seen, counted = {one.pk for one in rows}, may_read_figures(self.user, row)
        told = TimelineEntry.objects.filter(pk__in=row.facts.get("told", []), incident__in=seen).order_by("-pk")
        return {
            "id": row.pk,
            "team": row.team.name if row.team else None,
            "since": iso(row.since),
            "signed_at": iso(row.signed_at),
            "signed_by": row.signed_by.username,
            "note": row.note,
            "taken_at": iso(row.taken_at),
            "taken_by": row.taken_by.username if row.taken_by else None,
            "received": row.facts.get("received", 0) if counted else None,
            "resolved": row.facts.get("resolved", 0) if counted else None,
            **{name: [f"INC-{pk}" for pk in row.facts.get(name, []) if pk in seen] for name in LISTS},
            "told": list(told.values_list("pk", flat=True)),
            "cut": row.facts.get("cut", []),
            "url": f"{settings.SOAR_URL}/hand-over/{row.pk}/",
        }


def _url(row: HandOver) -> str:
    return f"{settings.SOAR_URL}/api/v1/hand-overs/{row.pk}/"
