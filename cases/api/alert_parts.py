"""What belongs to an alert: its payload as it came, alerts like it, and putting it into the queue."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import suppression_work
from cases.api import bodies, documented, shapes
from cases.api.base import ApiViewSet, guarded, tagged
from cases.api.representation import alert_dict, alert_rows
from cases.models import Alert, AlertPayload
from cases.permissions import alert_for, parse_number
from cases.similar import similar
from soar.lib.clock import iso


class Payload(s.Serializer[Any]):
    """What the source sent, as text: nothing of it is lost or rewritten."""

    number = s.CharField()
    first = s.CharField(allow_null=True)
    latest = s.CharField(allow_null=True, help_text="Of the repeats")
    latest_at = s.DateTimeField(allow_null=True)


class SimilarAlert(s.Serializer[Any]):
    """An alert like this one, and why."""

    alert = shapes.AlertRow()
    reasons = shapes.Reason(many=True)


SIMILAR_PAGE = shapes.page_of(SimilarAlert)


class AlertParts(ApiViewSet):
    """``/alerts/{id}/raw/ similar/ unsuppress/``."""

    reads = "view_cases"

    @extend_schema(**documented.read("Read an alert's payload", Payload, tagged=False))
    def raw(self, request: Request, id: str) -> Response:
        """The first and the latest delivery. An alert made by hand has none."""
        alert = alert_for(self.user, id)
        row = AlertPayload.objects.filter(alert=alert).first()
        return Response(
            {
                "number": alert.number,
                "first": row.body if row else None,
                "latest": row.latest_body if row else None,
                "latest_at": iso(row.latest_at) if row else None,
            }
        )

    @extend_schema(**documented.whole_list("List similar alerts", SIMILAR_PAGE))
    def similar(self, request: Request, id: str) -> Response:
        """The most similar that you may see, best first, in one page."""
        found = similar(self.user, alert_for(self.user, id))
        ids = [alert.pk for alert, _why in found]
        rows = Alert.objects.filter(pk__in=ids).select_related("owner", "source", "team")
        shown = {row["id"]: row for row in alert_rows(self.user, list(rows))}
        results = [
            {
                "alert": shown[alert.pk],
                "reasons": [{"type": why.type, "value": why.value, "text": why.text} for why in reasons],
            }
            for alert, reasons in found
            if alert.pk in shown
        ]
        return Response({"next": None, "previous": None, "results": results})

    @extend_schema(**documented.verb("Put a suppressed alert into the queue", bodies.Nothing, shapes.Alert))
    def unsuppress(self, request: Request, id: str) -> Response:
        """Its rule stays in force for others. 409 if nothing holds it back."""
        self.body(bodies.Nothing)
        pk = parse_number(id, "ALR")

        def run() -> Response:
            alert = guarded(request, Alert, pk, 1, lambda: suppression_work.release_one(self.actor, id))
            return tagged(alert_dict(alert, user=self.user))

        return self.once(run)
