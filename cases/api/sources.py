"""Alert sources, for those who manage them. Secrets never leave, save a token just made (ingest-and-api.md 1, 12)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import pulls
from cases.actions import sources as actions
from cases.api import bodies, documented, paging, shapes
from cases.api import source_shapes as own
from cases.api.base import ApiViewSet, as_read, read_facts, with_facts
from cases.choices import Determination, Severity
from cases.models import AlertSource
from cases.permissions import readable_source, source_for
from cases.source_access import reads_some, sources_read_by
from soar.lib.clock import iso

# Counted by deliveries, not changed by people.
PASSING = ("accepted", "repeats", "refused", "last_seen_at", "silent_since", "last_error", "last_error_at")


class Sources(ApiViewSet):
    """``/sources/``."""

    @extend_schema(**documented.listing("List sources", shapes.SOURCE_PAGE, params=[documented.ordering(paging.BY_ID)]))
    def list(self, request: Request) -> Response:
        """Those that you manage; all, for who may read sources and connectors."""
        if not reads_some(self.user):
            self.need("manage_sources", _("The permission to manage alert sources is missing."))
        paging.check_params(request, ("ordering",))
        rows = sources_read_by(self.user).select_related("team")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [source_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Add a source", own.NewSource, own.SourceMade))
    def create(self, request: Request) -> Response:
        """Its token is in this answer and in no other."""
        fields = self.body(own.NewSource)
        source, token = actions.create(self.actor, fields=fields)
        answer = {**source_dict(source), "token": token}
        return Response(answer, status=201, headers={"Location": f"/api/v1/sources/{source.slug}/"})

    @extend_schema(**documented.read("Read a source", shapes.Source))
    def retrieve(self, request: Request, slug: str) -> Response:
        """With its counters; without its secrets."""
        return read_facts(request, source_dict(readable_source(self.user, slug)), PASSING)

    @extend_schema(**documented.change("Change a source", own.SourceChanges, shapes.Source))
    def partial_update(self, request: Request, slug: str) -> Response:
        """All of it or nothing. A new `team` decides who sees the alerts to come."""
        changes = self.body(own.SourceChanges)
        return self._changed(request, slug, lambda: actions.update(self.actor, slug, fields=changes))

    @extend_schema(**documented.verb("Enable a source", bodies.Nothing, shapes.Source))
    def enable(self, request: Request, slug: str) -> Response:
        """It takes deliveries."""
        self.body(bodies.Nothing)
        return self.once(lambda: self._changed(request, slug, lambda: actions.set_enabled(self.actor, slug, True)))

    @extend_schema(**documented.verb("Disable a source", bodies.Nothing, shapes.Source))
    def disable(self, request: Request, slug: str) -> Response:
        """It refuses all deliveries."""
        self.body(bodies.Nothing)
        return self.once(lambda: self._changed(request, slug, lambda: actions.set_enabled(self.actor, slug, False)))

    @extend_schema(**documented.verb("Tell the source's product once more", bodies.Nothing, shapes.Told, tagged=False))
    def push(self, request: Request, slug: str) -> Response:
        """What its product could not be told of alerts that were resolved here."""
        self.body(bodies.Nothing)
        return self.once(lambda: Response({"told": pulls.push_again(self.actor, slug)}))

    def _changed(self, request: Request, slug: str, act: Any) -> Response:
        source_for(self.user, slug)
        as_read(request, AlertSource.objects.filter(slug=slug), source_dict, act, PASSING)
        return with_facts(source_dict(source_for(self.user, slug)), passing=PASSING)


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
        "close_on_resolved": source.close_on_resolved,
        "resolved_determination": Determination(source.resolved_determination).word,
        "rate_per_second": source.rate_per_second,
        "silence_warns": source.silence_warns,
        "silence_minutes": source.silence_minutes,
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
