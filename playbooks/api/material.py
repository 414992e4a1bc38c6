"""What response playbooks are made with: scripts, the never-touch list, detection models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from cases.choices import Severity
from playbooks.actions import models, never_touch, scripts
from playbooks.api import material_shapes as shapes
from playbooks.detection_models import Seen
from playbooks.models import DetectionModel, NeverTouch, Script
from soar.lib.clock import iso
from soar.lib.keyset import Order

READ_CASES = gettext_noop("The permission to see alerts, incidents and runs is missing.")
PASSING = ("last_seen_at", "alert_count")  # counted by alerts, not changed by people
MODEL_ORDERS = {**paging.BY_ID, "name": Order("name", ("key",), descending=False)}


class Scripts(ApiViewSet):
    """``/scripts/``."""

    @extend_schema(**documented.listing("List scripts", shapes.SCRIPT_PAGE))
    def list(self, request: Request) -> Response:
        """The library, newest first, without the texts."""
        self.need("view_cases", _(READ_CASES))
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

    @extend_schema(**documented.read("Read a script", shapes.Script))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its text; also one that was removed, which old tasks name."""
        return read_facts(request, _whole(scripts.script_for(self.actor, whole(id))))

    @extend_schema(**documented.remove("Remove a script"))
    def destroy(self, request: Request, id: str) -> Response:
        """Off the library; tasks that ran it keep its text."""
        row = scripts.script_for(self.actor, whole(id))
        as_read(request, Script.objects.filter(pk=row.pk), _whole, lambda: scripts.remove(self.actor, row.pk))
        return Response(status=204)


class NeverTouchApi(ApiViewSet):
    """``/never-touch/``."""

    @extend_schema(**documented.listing("Read the never-touch list", shapes.NEVER_TOUCH_PAGE))
    def list(self, request: Request) -> Response:
        """Nothing destructive runs by itself on what it names."""
        self.need("view_cases", _(READ_CASES))
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

    @extend_schema(**documented.read("Read a rule of the never-touch list", shapes.NeverTouch))
    def retrieve(self, request: Request, id: str) -> Response:
        """What it names and why."""
        self.need("view_cases", _(READ_CASES))
        row = NeverTouch.objects.filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return read_facts(request, _rule(row))

    @extend_schema(**documented.remove("Take a rule off the never-touch list"))
    def destroy(self, request: Request, id: str) -> Response:
        """What waits for an approval goes on waiting."""
        pk = whole(id)
        as_read(request, NeverTouch.objects.filter(pk=pk), _rule, lambda: never_touch.remove(self.actor, pk))
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
        self.need("view_cases", _(READ_CASES))
        paging.check_params(request, ("q", "ordering"))
        seen = Seen(self.user)
        rows = seen.rows()
        if text := request.query_params.get("q", "").strip():
            rows = rows.filter(key__contains=text.lower())
        found = paging.page(request, rows, paging.order_of(request, MODEL_ORDERS, "name"))
        return Response(paging.paged(request, found, [model_dict(row) for row in seen.fitted(found.rows)]))

    @extend_schema(
        **documented.create("Add a custom detection model", shapes.NewModel, shapes.DetectionModel, tagged=False)
    )
    def create(self, request: Request) -> Response:
        """Needs the permission to manage settings."""
        given = self.body(shapes.NewModel)
        return self.once(lambda: Response(model_dict(models.add(self.actor, **given)), status=201))

    @extend_schema(**documented.read("Read a detection model", shapes.DetectionModel))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its severity and how many alerts name it."""
        self.need("view_cases", _(READ_CASES))
        seen = Seen(self.user)
        row = seen.rows().filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return read_facts(request, model_dict(seen.fit(row)), PASSING)

    @extend_schema(**documented.change("Set a model's severity", shapes.ModelChange, shapes.DetectionModel))
    def partial_update(self, request: Request, id: str) -> Response:
        """By hand; null lets the alerts decide again."""
        pk, severity = whole(id), self.body(shapes.ModelChange)["severity"] or ""
        rows, shown = DetectionModel.objects.filter(pk=pk), self._shown()
        made = as_read(request, rows, shown, lambda: models.set_severity(self.actor, pk, severity), PASSING)
        return with_facts(shown(made), passing=PASSING)

    @extend_schema(**documented.remove("Remove a custom detection model"))
    def destroy(self, request: Request, id: str) -> Response:
        """409 for one that alerts name."""
        pk = whole(id)
        rows = DetectionModel.objects.filter(pk=pk)
        as_read(request, rows, self._shown(), lambda: models.remove(self.actor, pk), PASSING)
        return Response(status=204)

    def _shown(self) -> Callable[[DetectionModel], dict[str, Any]]:
        seen = Seen(self.user)
        return lambda row: model_dict(seen.fit(row))


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
