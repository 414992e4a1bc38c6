"""Outgoing webhooks over the API: the same rights and actions as the pages (ingest-and-api.md 12, 15)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import webhook_log as log
from cases.actions import webhooks as actions
from cases.api import bodies, documented, paging
from cases.api import webhook_shapes as shapes
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.choices import Severity
from cases.models import WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from soar.lib.clock import iso

STATE = OpenApiParameter("state", str, enum=list(shapes.STATES))
RELATED = ("team", "source", "owner")


class Webhooks(ApiViewSet):
    """``/webhook-endpoints/``, for those who manage connectors."""

    @extend_schema(
        **documented.listing("List webhooks", shapes.WEBHOOK_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """All of them, without addresses and secrets."""
        self.need("manage_connectors", _(actions.NOT_YOURS), read_by="view_setup")
        paging.check_params(request, ("ordering",))
        rows = WebhookEndpoint.objects.select_related(*RELATED)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [webhook_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Make a webhook", shapes.NewWebhook, shapes.WebhookWithSecret))
    def create(self, request: Request) -> Response:
        """`secret` is told this once. It is sent what you may see."""
        self._may()
        endpoint, secret = actions.create(self.actor, fields=self.body(shapes.NewWebhook))
        return tagged({**webhook_dict(endpoint), "secret": secret}, 201)

    @extend_schema(**documented.read("Read a webhook", shapes.Webhook))
    def retrieve(self, request: Request, id: str) -> Response:
        """With how it fares."""
        return read(request, webhook_dict(actions.endpoint_for(self.user, whole(id))))

    @extend_schema(**documented.change("Change a webhook", shapes.WebhookChanges, shapes.Webhook))
    def partial_update(self, request: Request, id: str) -> Response:
        """You are its owner from then on, unless you only switch it off: then what waits for it has failed."""
        self._may()
        changes, expected = self.body(shapes.WebhookChanges, partial=True), expected_version(request)
        return tagged(webhook_dict(actions.update(self.actor, whole(id), changes=changes, expected_version=expected)))

    @extend_schema(**documented.remove("Delete a webhook"))
    def destroy(self, request: Request, id: str) -> Response:
        """With its log."""
        actions.delete(self.actor, whole(id), expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(**documented.secret("Replace a webhook's secret", shapes.RotateWebhook, shapes.WebhookWithSecret))
    def rotate(self, request: Request, id: str) -> Response:
        """`secret` is told this once. For `overlap_hours` each call bears two signatures."""
        self._may()
        hours = self.body(shapes.RotateWebhook).get("overlap_hours", actions.OVERLAP_HOURS)
        expected = expected_version(request)
        endpoint, secret = actions.rotate(self.actor, whole(id), overlap_hours=hours, expected_version=expected)
        return tagged({**webhook_dict(endpoint), "secret": secret}, 201)

    @extend_schema(**documented.verb("Test a webhook", bodies.Nothing, shapes.WebhookDeliveryRow, tagged=False))
    def test(self, request: Request, id: str) -> Response:
        """Have `webhook.test` sent by a worker; read the delivery to see what came of it. 409 if it is off."""
        self.body(bodies.Nothing)
        pk = whole(id)
        return self.once(lambda: Response(delivery_dict(actions.test(self.actor, pk))))

    @extend_schema(
        **documented.verb("Replay what failed", shapes.ReplayFailed, shapes.Replayed, tagged=False),
    )
    def replay(self, request: Request, id: str) -> Response:
        """The oldest 10,000 that failed, since a moment or ever, under their ids. 409 if it is off."""
        since, pk = self.body(shapes.ReplayFailed).get("since"), whole(id)
        return self.once(lambda: Response({"replayed": log.replay_failed(self.actor, pk, since=since)}))

    @extend_schema(
        operation_id="webhook_endpoints_deliveries_list",
        **documented.listing(
            "List a webhook's deliveries", shapes.DELIVERY_PAGE, params=[STATE, documented.ordering(paging.BY_ID)]
        ),
    )
    def deliveries(self, request: Request, id: str) -> Response:
        """Of the alerts and incidents that you see, and tests."""
        endpoint = actions.endpoint_for(self.user, whole(id))
        paging.check_params(request, ("state", "ordering"))
        rows, state = log.deliveries_for(self.user, endpoint).defer("body"), request.query_params.get("state")
        if state and state not in shapes.STATES:
            raise ValidationError({"state": [_("One of: %(states)s.") % {"states": ", ".join(shapes.STATES)}]})
        if state:
            rows = rows.filter(state=state)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [delivery_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a delivery", shapes.WebhookDeliveryDetail, tagged=False))
    def delivery(self, request: Request, id: str, delivery: str) -> Response:
        """With its calls."""
        row = log.delivery_for(self.user, whole(id), whole(delivery))
        mine = row.endpoint.owner_id == self.user.pk
        calls = [
            {
                "at": iso(call.at),
                "finished_at": iso(call.finished_at),
                "status": call.status,
                "milliseconds": call.milliseconds,
                "error": call.error,
            }
            for call in row.calls.all()[:50]
        ]
        return Response({**delivery_dict(row), "calls": calls, "body": row.body if mine else ""})

    @extend_schema(**documented.verb("Replay a delivery", bodies.Nothing, shapes.WebhookDeliveryRow, tagged=False))
    def replay_one(self, request: Request, id: str, delivery: str) -> Response:
        """Whatever became of it, under the same `webhook-id`. 409 if it is under way or the webhook is off."""
        self.body(bodies.Nothing)
        pk, one = whole(id), whole(delivery)
        return self.once(lambda: Response(delivery_dict(log.replay(self.actor, pk, one))))

    def _may(self) -> None:
        self.need("manage_connectors", _(actions.NOT_YOURS))


def webhook_dict(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint in JSON."""
    names = (
        "name",
        "place",
        "kinds",
        "cleared",
        "allow_internal",
        "ca",
        "enabled",
        "off_reason",
        "failures",
        "last_error",
    )
    times = ("failing_since", "last_ok_at", "last_failed_at", "created_at", "updated_at")
    least = endpoint.least_severity
    return {
        "id": endpoint.pk,
        "url": f"{settings.SOAR_URL}/webhooks/{endpoint.pk}/",
        **{name: getattr(endpoint, name) for name in names},
        "team": endpoint.team.name if endpoint.team else None,
        "source": endpoint.source.slug if endpoint.source else None,
        "least_severity": None if least is None else Severity(least).word,
        "owner": endpoint.owner.username,
        **{name: iso(getattr(endpoint, name)) for name in times},
        "old_secret_until": iso(endpoint.old_until),
        "version": endpoint.version,
    }


def delivery_dict(row: WebhookDelivery) -> dict[str, Any]:
    """A delivery in JSON, without its body."""
    alert, incident = row.alert_id, row.incident_id
    return {
        "id": row.pk,
        "url": f"{settings.SOAR_URL}/webhooks/{row.endpoint_id}/deliveries/{row.pk}/",
        "webhook_id": row.event,
        "kind": row.kind,
        "number": f"ALR-{alert}" if alert else f"INC-{incident}" if incident else None,
        "entry": row.entry or None,
        "state": row.state,
        "attempts": row.attempts,
        "said": row.said,
        "due_at": iso(row.due_at) if row.state in OPEN_DELIVERIES else None,
        "created_at": iso(row.created_at),
        "finished_at": iso(row.finished_at),
    }
