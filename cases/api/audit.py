"""The audit log for programs (access.md 7)."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import admin_shapes as a
from cases.api import documented, paging
from cases.api.base import ApiViewSet, whole
from soar.accounts import audit_export, audit_filter
from soar.accounts.models import AuditEntry

NOT_YOURS = gettext_noop("The permission to read the audit log is missing.")
SAID = {
    "q": "Words of the object, the actor or the beginning of the verb.",
    "who": "User name, id, or `soar` for the portal itself.",
    "verb": "A verb, or what stands before its dot: `user`, `user.changed`.",
    "object": "A part of the object.",
    "group": ", ".join(audit_filter.GROUPS),
    "outcome": "done or refused.",
    "span": "hour, day, week or month before now.",
    "since": "At or after; ISO 8601.",
    "until": "At or before; ISO 8601.",
    "request": "Id of a request.",
}
PARAMS = [OpenApiParameter(name, str, description=SAID[name]) for name in audit_filter.PARAMS]


class AuditLog(ApiViewSet):
    """``/audit/``."""

    @extend_schema(
        **documented.listing("Read the audit log", a.AUDIT_PAGE, params=[*PARAMS, documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Newest first; `ordering=id` follows it as it grows."""
        self.need("view_audit", _(NOT_YOURS))
        wanted = audit_filter.read(request.query_params)
        if wanted.errors:
            raise ValidationError({name: [text] for name, text in wanted.errors.items()})
        found = paging.page(request, wanted.rows(), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [audit_export.as_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read an entry of the audit log", a.AuditEntry, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """The whole entry."""
        self.need("view_audit", _(NOT_YOURS))
        entry = AuditEntry.objects.filter(pk=whole(id)).first()
        if entry is None:
            raise NotFound
        return Response(audit_export.as_dict(entry))
