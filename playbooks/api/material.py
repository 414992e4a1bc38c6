"""What response playbooks are made with: scripts, the never-touch list, detection models."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet, whole
from cases.choices import Severity
from playbooks.actions import models, never_touch, scripts
from playbooks.api import material_shapes as shapes
from playbooks.models import DetectionModel, NeverTouch, Script
from soar.lib.clock import iso
from soar.lib.keyset import Order

READ_CASES = "The permission to see alerts, incidents and runs is missing."
MODEL_ORDERS = {**paging.BY_ID, "name": Order("name", ("key",), descending=False)}


class Scripts(ApiViewSet):
    """``/scripts/``."""

    @extend_schema(**documented.listing("List scripts", shapes.SCRIPT_PAGE))
    def list(self, request: Request) -> Response:
        """The library, newest first, without the texts."""
        self.need("view_cases", READ_CASES)
        paging.check_params(request, ())
        rows = Script.objects.filter(removed=False).select_related("uploaded_by").defer("text")
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, [script_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Add a script", shapes.NewScript, shapes.Script, tagged=False))
    def create(self, request: Request) -> Response:
        """Needs the permission to write playbooks. At most 1 MiB; a text never changes afterwards."""
        given = self.body(shapes.NewScript)
        body = given.pop("text").encode("utf-8", "surrogatepass")
        name = given.pop("name")

        def run() -> Response:
            script = scripts.add(self.actor, name, body, **given)
            return Response(_whole(script), status=201, headers={"Location": f"/api/v1/scripts/{script.pk}/"})

        return self.once(run)

    @extend_schema(**documented.read("Read a script", shapes.Script, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its text; also one that was removed, which old tasks name."""
        return Response(_whole(scripts.script_for(self.actor, whole(id))))

    @extend_schema(**documented.remove("Remove a script"))
    def destroy(self, request: Request, id: str) -> Response:
        """Off the library; tasks that ran it keep its text."""
        scripts.remove(self.actor, whole(id))
        return Response(status=204)


class NeverTouchApi(ApiViewSet):
    """``/never-touch/``."""

    @extend_schema(**documented.listing("Read the never-touch list", shapes.NEVER_TOUCH_PAGE))
    def list(self, request: Request) -> Response:
        """Nothing destructive runs by itself on what it names."""
        self.need("view_cases", READ_CASES)
        paging.check_params(request, ())
        found = paging.page(request, NeverTouch.objects.all())
        return Response(paging.paged(request, found, [_rule(row) for row in found.rows]))

    @extend_schema(
        **documented.create("Add to the never-touch list", shapes.NewNeverTouch, shapes.NeverTouch, tagged=False)
    )
    def create(self, request: Request) -> Response:
        """Needs the permission to manage settings. A name may have a `*` at either end; a criticality holds for itself
        and higher ones."""
        given = self.body(shapes.NewNeverTouch)
        return self.once(lambda: Response(_rule(never_touch.add(self.actor, **given)), status=201))

    @extend_schema(**documented.remove("Take a rule off the never-touch list"))
    def destroy(self, request: Request, id: str) -> Response:
        """What waits for an approval goes on waiting."""
        never_touch.remove(self.actor, whole(id))
        return Response(status=204)


class DetectionModels(ApiViewSet):
    """``/detection-models/``."""

    @extend_schema(
        **documented.listing(
            "List detection models", shapes.MODEL_PAGE, params=["q", documented.ordering(MODEL_ORDERS)]
        )
    )
    def list(self, request: Request) -> Response:
        """By name; `q` finds in names."""
        self.need("view_cases", READ_CASES)
        paging.check_params(request, ("q", "ordering"))
        rows = DetectionModel.objects.all()
        if text := request.query_params.get("q", "").strip():
            rows = rows.filter(key__contains=text.lower())
        found = paging.page(request, rows, paging.order_of(request, MODEL_ORDERS, "name"))
        return Response(paging.paged(request, found, [model_dict(row) for row in found.rows]))

    @extend_schema(
        **documented.create("Add a custom detection model", shapes.NewModel, shapes.DetectionModel, tagged=False)
    )
    def create(self, request: Request) -> Response:
        """Needs the permission to manage settings."""
        given = self.body(shapes.NewModel)
        return self.once(lambda: Response(model_dict(models.add(self.actor, **given)), status=201))

    @extend_schema(**documented.change("Set a model's severity", shapes.ModelChange, shapes.DetectionModel))
    def partial_update(self, request: Request, id: str) -> Response:
        """By hand; null lets the alerts decide again."""
        given = self.body(shapes.ModelChange)
        return Response(model_dict(models.set_severity(self.actor, whole(id), given["severity"] or "")))

    @extend_schema(**documented.remove("Remove a custom detection model"))
    def destroy(self, request: Request, id: str) -> Response:
        """409 for one that alerts name."""
        models.remove(self.actor, whole(id))
        return Response(status=204)


def script_dict(script: Script) -> dict[str, Any]:
    """A script in JSON, without its text."""
    return {
        "id": script.pk,
        "name": script.name,
        "language": script.language,
        "systems": script.systems,
        "description": script.description,
        "sha256": script.sha256,
        "size": script.size,
        "uploaded_by": script.uploaded_by.username,
        "uploaded_at": iso(script.uploaded_at),
        "removed": script.removed,
    }


def model_dict(row: DetectionModel) -> dict[str, Any]:
    """A detection model in JSON."""
    return {
        "id": row.pk,
        "name": row.name,
        "severity": Severity(row.severity).word,
        "severity_set": row.severity_set,
        "custom": row.custom,
        "source": row.source_name or None,
        "last_seen_at": iso(row.last_seen_at) if row.last_seen_at else None,
        "alert_count": row.alert_count,
    }


def _whole(script: Script) -> dict[str, Any]:
    return {**script_dict(script), "text": script.text}


def _rule(row: NeverTouch) -> dict[str, Any]:
    return {
        "id": row.pk,
        "by": row.by,
        "value": row.value,
        "kinds": row.kinds,
        "reason": row.reason,
        "added_by": row.added_by,
        "added_at": iso(row.added_at),
    }
