"""Alert sources, for those who manage them. Secrets never leave (ingest-and-api.md 12)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging, shapes
from cases.api.base import ApiViewSet
from cases.choices import Severity
from cases.models import AlertSource
from cases.permissions import source_for
from soar.lib.clock import iso


class Sources(ApiViewSet):
    """``/sources/``."""

    @extend_schema(**documented.listing("List sources", shapes.SOURCE_PAGE, params=[documented.ordering(paging.BY_ID)]))
    def list(self, request: Request) -> Response:
        """For those who manage sources."""
        self.need("manage_sources", "The permission to manage alert sources is missing.")
        paging.check_params(request, ("ordering",))
        rows = AlertSource.objects.select_related("team")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [source_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a source", shapes.Source, tagged=False))
    def retrieve(self, request: Request, slug: str) -> Response:
        """For those who manage sources."""
        return Response(source_dict(source_for(self.user, slug)))


def source_dict(source: AlertSource) -> dict[str, Any]:
    """A source in JSON, without secrets."""
    return {
        "id": source.pk,
        "slug": source.slug,
        "name": source.name,
        "kind": source.kind,
        "team": source.team.name if source.team else None,
        "enabled": source.enabled,
        "signed": bool(source.hmac_secret),
        "allowed_networks": source.allowed_networks,
        "default_severity": Severity(source.default_severity).word,
        "default_tlp": source.default_tlp,
        "default_tags": source.default_tags,
        "key_fields": source.key_fields,
        "repeat_rule": source.repeat_rule,
        "accepted": source.accepted,
        "repeats": source.repeats,
        "refused": source.refused,
        "last_seen_at": iso(source.last_seen_at),
        "silent_since": iso(source.silent_since),
        "last_error": source.last_error,
        "last_error_at": iso(source.last_error_at),
        "ingest_url": f"{settings.SOAR_URL}/api/v1/ingest/{source.slug}/",
        "created_at": iso(source.created_at),
    }
