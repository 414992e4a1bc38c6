"""Assets: the inventory and what visible alerts name (ingest-and-api.md 12)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import asset_import, assets
from cases.api import asset_shapes, documented, paging
from cases.api.base import ApiViewSet, read, tagged
from cases.api.etags import expected_version
from cases.asset_access import asset_for
from cases.asset_filters import FIELDS, AssetFilter
from cases.choices import AlertStatus, Criticality, IncidentStatus, Severity
from cases.first_seen import ASSETS, first_seen, known_since
from cases.models import Alert, Asset, Incident
from cases.querysets import AssetQuerySet
from cases.restricted_views import note_rows
from soar.accounts.models import User
from soar.lib.clock import iso
from soar.lib.keyset import Order

ORDERS = {
    **paging.BY_ID,
    "name": Order("name", ("key",), descending=False),
    "-criticality": Order("-criticality", ("criticality", "id")),
}
FILTERS = ("q", *FIELDS)
# What the schema says of them.
SAID = {
    "name": "The whole name, in any case.",
    "type": "As it stands at the asset: server, laptop, workstation.",
    "system": "A part of the operating system's name.",
    "criticality": "unknown, low, medium, high, critical.",
    "group": "Name of a group of assets, or none.",
    "address": "An address, or a network in CIDR notation.",
    "inventory": "yes: those of the inventory; no: those that alerts alone have named.",
}
SIGHTINGS = 100
LISTED = 1000  # assets and problems that the answer to an import names


class Assets(ApiViewSet):
    """``/assets/`` and below."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List assets",
            asset_shapes.ASSET_PAGE,
            params=[*documented.filters(FILTERS, SAID), documented.ordering(ORDERS)],
        )
    )
    def list(self, request: Request) -> Response:
        """The inventory and what alerts and incidents that you may see name. `q` takes part of a name, an address,
        and `field:value` by the names of the other parameters."""
        paging.check_params(request, (*FILTERS, "ordering"))
        rows = _filtered(request, self.user)
        found = paging.page(request, rows, paging.order_of(request, ORDERS))
        return Response(paging.paged(request, found, asset_dicts(self.user, found.rows)))

    @extend_schema(
        **documented.create("Enter an asset", asset_shapes.NewAsset, asset_shapes.Asset, tagged=False),
    )
    def create(self, request: Request) -> Response:
        """Puts it into the inventory. Names are unique without case; 400 if it is there already."""
        fields = self.body(asset_shapes.NewAsset)

        def run() -> Response:
            made = assets.create(self.actor, fields=fields)
            return tagged(asset_dict(self.user, made), 201, location=f"/api/v1/assets/{made.pk}/")

        return self.once(run)

    @extend_schema(**documented.read("Read an asset", asset_shapes.AssetDetail))
    def retrieve(self, request: Request, id: str) -> Response:
        """With the newest hundred alerts and incidents that name it and that you may see."""
        row = asset_for(self.user, id)
        return read(request, {**asset_dict(self.user, row), "sightings": _sightings(self.user, row)})

    @extend_schema(**documented.change("Change an asset", asset_shapes.AssetChanges, asset_shapes.Asset))
    def partial_update(self, request: Request, id: str) -> Response:
        """All of it or nothing; it is in the inventory then. With `If-Match` only if nobody changed it since."""
        changes = self.body(asset_shapes.AssetChanges)
        made = assets.update(self.actor, id, changes=changes, expected_version=expected_version(request))
        return tagged(asset_dict(self.user, made))

    @extend_schema(**documented.remove("Take an asset out of the inventory"))
    def destroy(self, request: Request, id: str) -> Response:
        """Needs the permission to manage settings. Alerts that name it keep their link."""
        assets.remove(self.actor, id, expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(
        **documented.verb("Import assets", asset_shapes.ImportFile, asset_shapes.Imported, tagged=False),
    )
    def import_file(self, request: Request) -> Response:
        """The text of a CSV file, whole or not at all; needs the permission to manage settings. With `dry_run` it only
        says what it would do, and what is wrong with each line; without, a wrong line is a 400."""
        given = self.body(asset_shapes.ImportFile)

        def run() -> Response:
            dry = given.get("dry_run", False)
            act = asset_import.plan if dry else asset_import.apply
            return Response({"dry_run": dry, **_plan(act(self.actor, given["csv"]))})

        return self.once(run)


def asset_dict(user: User, asset: Asset) -> dict[str, Any]:
    """An asset in JSON, without sightings."""
    return _asset(asset, known_since(user, asset))


def asset_dicts(user: User, rows: Sequence[Asset]) -> list[dict[str, Any]]:
    """The same for several."""
    since = first_seen(user, [row.pk for row in rows if not row.listed], ASSETS)
    return [_asset(row, row.created_at if row.listed else since.get(row.pk)) for row in rows]


def _asset(asset: Asset, since: datetime | None) -> dict[str, Any]:
    return {
        "id": asset.pk,
        "url": f"{settings.SOAR_URL}/assets/{asset.pk}/",
        "name": asset.name,
        "type": asset.type,
        "system": asset.system,
        "addresses": asset.addresses,
        "groups": asset.groups,
        "criticality": Criticality(asset.criticality).word,
        "tags": asset.tags,
        "listed": asset.listed,
        "created_at": iso(since),
        "updated_at": iso(asset.updated_at),
        "version": asset.version,
    }


def _filtered(request: Request, user: User) -> AssetQuerySet:
    chosen = AssetFilter.parse(request.query_params)
    rows = chosen.apply(Asset.objects.visible_to(user))
    if chosen.errors:
        raise ValidationError({error.partition(":")[0]: [error] for error in chosen.errors})
    assert isinstance(rows, AssetQuerySet)
    return rows


def _plan(plan: asset_import.Plan) -> dict[str, Any]:
    return {
        "created": len(plan.created),
        "changed": len(plan.changed),
        "same": plan.same,
        "changes": [{"name": step.name, "changes": step.changes} for step in plan.changed[:LISTED]],
        "problems": [
            {"line": one.line, "column": one.column, "message": one.message} for one in plan.problems[:LISTED]
        ],
    }


def _sightings(user: User, asset: Asset) -> dict[str, list[dict[str, Any]]]:
    alerts = Alert.objects.visible_to(user).filter(asset_links__asset=asset)
    seen = Incident.objects.visible_to(user)
    through = seen.filter(alerts__asset_links__asset=asset).values("pk")
    own = seen.filter(asset_links__asset=asset).values("pk")
    incidents: QuerySet[Incident] = Incident.objects.filter(Q(pk__in=through) | Q(pk__in=own))
    named = alerts.with_line_data().order_by("-pk")[:SIGHTINGS]
    inside = incidents.order_by("-pk").defer("summary")[:SIGHTINGS]
    note_rows(user, [*named, *inside])
    return {
        "alerts": [_alert(one) for one in named],
        "incidents": [_incident(one) for one in inside],
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "number": alert.number,
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "status": AlertStatus(alert.status).word,
        "received_at": iso(alert.received_at),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.pk,
        "number": incident.number,
        "title": incident.title,
        "severity": Severity(incident.severity).word,
        "status": IncidentStatus(incident.status).word,
    }
