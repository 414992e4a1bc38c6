"""The mail messages that alerts were made of, as they came."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging, shapes
from cases.api.base import ApiViewSet
from cases.kept_messages import Kept, kept_of
from cases.models import Alert
from cases.permissions import alert_for
from cases.views.alerts_mails import message_answer
from cases.views.evidence_file import AS_ZIP
from soar.lib.clock import iso

WHICH = OpenApiParameter("sha256", str, description="Of the message; without it the first one is given.")
ZIP = OpenApiParameter("as", str, enum=[AS_ZIP], description="A zip (AES) with the password `infected`.")
FILE = {
    (200, "application/octet-stream"): OpenApiResponse(
        OpenApiTypes.BINARY, description="The bytes, always as a download."
    )
}


class MessageFile(s.Serializer[Any]):
    """A file in a message, as far as it is told."""

    name = s.CharField(allow_null=True)
    type = s.CharField(allow_null=True)
    size = s.IntegerField(allow_null=True, help_text="Bytes")
    sha256 = s.CharField(allow_null=True)


class KeptMessage(s.Serializer[Any]):
    """A message that is kept with an alert. Of those between the first and the latest only the bytes are kept:
    `subject`, `sender` and `reporter` are then null."""

    sha256 = s.CharField()
    size = s.IntegerField(help_text="Bytes")
    received_at = s.DateTimeField()
    subject = s.CharField(allow_null=True, help_text="Of the message that is reported")
    sender = s.CharField(allow_null=True, help_text="Its From, as it claims")
    reporter = s.CharField(allow_null=True, help_text="Who reported it; null for a message that reports no other")
    attachments = MessageFile(many=True)
    file = s.URLField(help_text="Where its bytes are")


MESSAGE_PAGE = shapes.page_of(KeptMessage)


class AlertMessages(ApiViewSet):
    """``/alerts/{id}/messages/`` and ``message/``."""

    reads = "view_cases"

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A download is given whatever the caller accepts."""
        return super().perform_content_negotiation(request, force or self.action == "file")

    @extend_schema(**documented.whole_list("List an alert's mail messages", MESSAGE_PAGE))
    def list(self, request: Request, id: str) -> Response:
        """As they came, at most 50, in one page. An alert of a source that sends no mail has none."""
        alert = alert_for(self.user, id)
        paging.check_params(request, ())
        return Response({"next": None, "previous": None, "results": [_dict(alert, one) for one in kept_of(alert)]})

    @extend_schema(
        summary="Download an alert's mail message",
        parameters=[WHICH, ZIP],
        responses={**FILE, **documented.refusals(400, 403, 404)},
    )
    def file(self, request: Request, id: str) -> HttpResponseBase:
        """Byte by byte as it came, or in a zip with a password."""
        asked = request.query_params.get("as", "")
        if asked not in ("", AS_ZIP):
            raise ValidationError({"as": [_("One of: %(as_zip)s.") % {"as_zip": AS_ZIP}]})
        alert = alert_for(self.user, id)
        which = request.query_params.get("sha256", "")
        return message_answer(request._request, alert, which, as_zip=asked == AS_ZIP)


def _dict(alert: Alert, one: Kept) -> dict[str, Any]:
    return {
        "sha256": one.sha256,
        "size": one.size,
        "received_at": iso(one.received_at),
        "subject": one.subject if one.told else None,
        "sender": one.sender or None,
        "reporter": one.reporter or None,
        "attachments": one.attachments,
        "file": f"{settings.SOAR_URL}/api/v1/alerts/{alert.number}/message/?sha256={one.sha256}",
    }
