"""A source's mapping over the API: read, replace, preview (ingest-and-api.md 3)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import mappings as actions
from cases.api import documented, shapes
from cases.api.base import ApiViewSet, read, tagged
from cases.api.etags import expected_version
from cases.api.fields import Body, Flag, Text
from cases.api.shapes import Anything
from cases.ingest.mapping.document import BadMapping, checked
from cases.ingest.mapping.overlay import compiled
from cases.ingest.mapping_preview import preview
from cases.ingest.pipeline import rules_of
from cases.models import AlertSource, SourceMapping
from cases.permissions import readable_source, source_for
from soar.lib.clock import iso

SAMPLE_AT_MOST = 1024 * 1024


class Mapping(s.Serializer[Any]):
    """What a source has been taught. `mapping` has `items`, `fields`, `values`, `observables`, `required` and
    `find_in_text`; docs/ingest.md says what they mean."""

    version = s.IntegerField(help_text="0: none yet")
    mapping = Anything()
    made_by = s.CharField(allow_null=True)
    made_at = s.DateTimeField(allow_null=True)
    restored_from = s.IntegerField(allow_null=True)
    misfits = s.IntegerField(help_text="How much of it does not fit the kept samples")


class PutMapping(Body):
    """The new mapping. Without `anyway`, one that does not fit the kept samples is refused (409)."""

    mapping = Anything()
    anyway = Flag(required=False)


class TryMapping(Body):
    """A payload as text, and the mapping to read it with; without one, that in use."""

    payload = Text(max_length=SAMPLE_AT_MOST)
    mapping = Anything(required=False)


class Previewed(s.Serializer[Any]):
    """The alerts that would come of it; nothing was stored."""

    alerts = shapes.Objects(help_text="The first 20; `by` says whether a field is mapped, by name or the source's rule")
    total = s.IntegerField()
    errors = s.ListField(child=s.CharField())  # type: ignore[assignment]


class Mappings(ApiViewSet):
    """``/sources/{slug}/mapping/``, for those who manage the source."""

    @extend_schema(**documented.read("Read a source's mapping", Mapping))
    def retrieve(self, request: Request, slug: str) -> Response:
        """The version in use."""
        return read(request, mapping_dict(readable_source(self.user, slug)))

    @extend_schema(**documented.verb("Replace a source's mapping", PutMapping, Mapping, keyed=False))
    def replace(self, request: Request, slug: str) -> Response:
        """Makes a new version. `errors` of a 400 name the places that are wrong, those of a 409 the fields that do not
        fit the kept samples. An empty object maps nothing."""
        given = self.body(PutMapping)
        expected = expected_version(request)
        try:
            actions.save(self.actor, slug, given["mapping"], version=expected, anyway=given.get("anyway", False))
        except BadMapping as error:
            raise _invalid(error) from error
        return tagged(mapping_dict(source_for(self.user, slug)))

    @extend_schema(**documented.verb("Try a mapping", TryMapping, Previewed, tagged=False, keyed=False))
    def preview(self, request: Request, slug: str) -> Response:
        """What a payload would become. Nothing is stored."""
        source = source_for(self.user, slug)
        given = self.body(TryMapping)
        mapping = given.get("mapping", source.mapping.mapping if source.mapping else {})
        try:
            overlay = compiled(checked(mapping))
        except BadMapping as error:
            raise _invalid(error) from error
        made = preview(rules_of(source), overlay, given["payload"].encode())
        return Response({"alerts": made.alerts, "total": made.total, "errors": made.errors})


def _invalid(error: BadMapping) -> ValidationError:
    return ValidationError({f"mapping.{place}": [text] for place, text in error.errors.items()})


def mapping_dict(source: AlertSource) -> dict[str, Any]:
    """A source's mapping in JSON."""
    row: SourceMapping | None = source.mapping
    return {
        "version": row.number if row else 0,
        "mapping": row.mapping if row else {},
        "made_by": row.made_by_name if row else None,
        "made_at": iso(row.made_at) if row else None,
        "restored_from": row.restored_from if row else None,
        "misfits": row.misfits if row else 0,
    }
