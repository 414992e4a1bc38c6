"""Incidents: the list, one of them, and its verbs. Everything that changes goes through ``cases.actions``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import incidents, links
from cases.actions.techniques import retag
from cases.api import bodies, documented, incident_filter, paging, shapes
from cases.api.base import ApiViewSet, guarded, read, tagged
from cases.api.etags import expected_version
from cases.api.representation import incident_dict, incident_row, with_tickets
from cases.api.timeline import written
from cases.models import Incident
from cases.permissions import incident_for, parse_number
from cases.restricted_views import note_rows
from soar.lib.keyset import Order

ORDERS = {
    **paging.BY_ID,
    "updated_at": Order("updated_at", ("updated_at", "id"), descending=False),
    "-updated_at": Order("-updated_at", ("updated_at", "id")),
    "-severity": Order("-severity", ("severity", "id")),
    "due": Order("due", ("sla_due_at", "id"), descending=False),
}


class Incidents(ApiViewSet):
    """``/incidents/`` and its verbs."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List incidents",
            shapes.INCIDENT_PAGE,
            params=[
                *documented.filters(incident_filter.FILTERS, incident_filter.SAID),
                documented.CUSTOM_FIELDS,
                documented.ordering(ORDERS),
            ],
        )
    )
    def list(self, request: Request) -> Response:
        """Newest first; with `updated_since` by time of change."""
        paging.check_params(request, (*incident_filter.FILTERS, *incident_filter.named(request), "ordering"))
        default = "updated_at" if request.query_params.get("updated_since") else "-id"
        visible = Incident.objects.visible_to(self.user).with_row_data()
        rows = with_tickets(incident_filter.filtered(request, visible, self.user))
        found = paging.page(request, rows, paging.order_of(request, ORDERS, default))
        note_rows(self.user, found.rows)
        return Response(paging.paged(request, found, [incident_row(row) for row in found.rows]))

    @extend_schema(**documented.create("Open an incident", bodies.NewIncident, shapes.Incident, tagged=False))
    def create(self, request: Request) -> Response:
        """By hand with a title, or from alerts, whose title, severity, team and TLP are taken if none are given."""
        given = self.body(bodies.NewIncident)
        if not given.get("title") and not given.get("alerts"):
            raise ValidationError({"title": [_("Give a title or alerts.")]})
        return self.once(lambda: tagged(incident_dict(incidents.open_incident(self.actor, **given)), 201))

    @extend_schema(**documented.read("Read an incident", shapes.Incident))
    def retrieve(self, request: Request, id: str) -> Response:
        """`id` is its id or its number (`INC-7`)."""
        return read(request, incident_dict(incident_for(self.user, id)))

    @extend_schema(**documented.change("Change an incident", bodies.IncidentChanges, shapes.Incident))
    def partial_update(self, request: Request, id: str) -> Response:
        """All of it or nothing. With `If-Match` only if nobody changed it since."""
        changes = self.body(bodies.IncidentChanges)
        expected = expected_version(request)
        return tagged(incident_dict(incidents.update(self.actor, id, changes=changes, expected_version=expected)))

    @extend_schema(**documented.verb("Assign an incident", bodies.Assign, shapes.Incident))
    def assign(self, request: Request, id: str) -> Response:
        """`owner` becomes an owner and the lead, null means that nobody leads; `team` decides who sees it."""
        given = self.body(bodies.Assign)
        return self._verb(lambda: self._assign(request, id, given))

    @extend_schema(**documented.create("Comment on an incident", bodies.IncidentComment, shapes.WrittenEntry))
    def comment(self, request: Request, id: str) -> Response:
        """A note, or with `kind` a hand-over note."""
        given = self.body(bodies.IncidentComment)
        pk = parse_number(id, "INC")

        def run() -> Response:
            entry = guarded(request, Incident, pk, 0, lambda: incidents.comment(self.actor, id, **given))
            return written(self.user, incident_for(self.user, id), entry)

        return self.once(run)

    @extend_schema(
        **documented.verb("Move an incident on", bodies.IncidentStatusChange, shapes.Incident),
        operation_id="incidents_status",
    )
    def set_status(self, request: Request, id: str) -> Response:
        """Resolving and closing need a determination and resolve its open alerts."""
        given = self.body(bodies.IncidentStatusChange)
        expected = expected_version(request)
        return self._verb(lambda: incidents.set_status(self.actor, id, **given, expected_version=expected))

    @extend_schema(**documented.verb("Change the owners", bodies.Owners, shapes.Incident))
    def owners(self, request: Request, id: str) -> Response:
        """At most 50; `lead` becomes an owner."""
        given = self.body(bodies.Owners)
        expected = expected_version(request)
        return self._verb(lambda: incidents.owners(self.actor, id, **given, expected_version=expected))

    @extend_schema(**documented.verb("Change the techniques", bodies.Techniques, shapes.Incident))
    def techniques(self, request: Request, id: str) -> Response:
        """Add ATT&CK ids and take others off, whatever else is on it; `PATCH` replaces them all."""
        given = self.body(bodies.Techniques)
        expected = expected_version(request)
        return self._verb(lambda: retag(self.actor, id, **given, expected_version=expected))

    @extend_schema(**documented.verb("Link alerts", bodies.LinkAlerts, shapes.Incident))
    def link(self, request: Request, id: str) -> Response:
        """409 if one is in another incident, unless `move` is true."""
        given = self.body(bodies.LinkAlerts)
        move = given.get("move", False)
        return self._guarded(request, id, 1, lambda: links.link(self.actor, given["alerts"], id, move=move))

    @extend_schema(**documented.verb("Take alerts out", bodies.UnlinkAlerts, shapes.Incident))
    def unlink(self, request: Request, id: str) -> Response:
        """400 if one is not in this incident."""
        ids = self.body(bodies.UnlinkAlerts)["alerts"]
        steps = len({parse_number(one, "ALR") for one in ids})

        def act() -> Incident:
            incident_for(self.actor, id, level="edit")
            links.unlink(self.actor, ids, id)
            return incident_for(self.actor, id)

        return self._guarded(request, id, steps, act)

    def _assign(self, request: Request, id: str, given: dict[str, Any]) -> Incident:
        expected = expected_version(request)
        with transaction.atomic():
            incident = incidents.update(
                self.actor,
                id,
                changes={"team": given["team"]} if "team" in given else {},
                expected_version=expected,
            )
            if "owner" in given:
                incident = incidents.owners(self.actor, incident.pk, lead=given["owner"])
        return incident

    def _guarded(self, request: Request, id: str, steps: int, act: Callable[[], Incident]) -> Response:
        pk = parse_number(id, "INC")
        return self._verb(lambda: guarded(request, Incident, pk, steps, act))

    def _verb(self, act: Callable[[], Incident]) -> Response:
        return self.once(lambda: tagged(incident_dict(act())))
