"""The assets of an incident: those of its alerts, and those that people put on it."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import asset_links
from cases.api import documented, paging
from cases.api.asset_shapes import ASSET_PAGE, Asset
from cases.api.assets import asset_dict, asset_dicts
from cases.api.base import ApiViewSet, guarded, tagged, whole
from cases.api.fields import Body, Text
from cases.models import AlertAsset, Incident, IncidentAsset
from cases.models import Asset as AssetRow
from cases.permissions import incident_for, parse_number


class NamedAsset(Body):
    """An asset by its name."""

    name = Text(max_length=255)


class IncidentAssets(ApiViewSet):
    """``/incidents/{id}/assets/``."""

    reads = "view_cases"

    @extend_schema(**documented.listing("List an incident's assets", ASSET_PAGE))
    def list(self, request: Request, id: str) -> Response:
        """Those put on the incident itself and those of its alerts, newest first."""
        incident = incident_for(self.user, id)
        own = IncidentAsset.objects.filter(incident=incident, asset=OuterRef("pk"))
        theirs = AlertAsset.objects.filter(alert__incident=incident)
        rows = AssetRow.objects.filter(Q(Exists(own)) | Q(pk__in=theirs.values("asset")))
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, asset_dicts(self.user, found.rows)))

    @extend_schema(**documented.create("Put an asset on an incident", NamedAsset, Asset))
    def create(self, request: Request, id: str) -> Response:
        """One that you know of. One that is there already changes nothing."""
        name = self.body(NamedAsset)["name"]
        pk = parse_number(id, "INC")

        def run() -> Response:
            made = guarded(request, Incident, pk, 1, lambda: asset_links.add_to_incident(self.actor, id, name))
            return tagged(asset_dict(self.user, made), 201)

        return self.once(run)

    @extend_schema(**documented.remove("Take an asset off an incident"))
    def destroy(self, request: Request, id: str, asset: str) -> Response:
        """Its alerts keep theirs. 404 if it was not put on the incident itself."""
        pk, row = parse_number(id, "INC"), whole(asset)
        guarded(request, Incident, pk, 1, lambda: asset_links.remove_from_incident(self.actor, id, row))
        return Response(status=204)
