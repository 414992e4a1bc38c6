"""What belongs to a source: its tokens, the samples it keeps, versions of its mapping, and what may be tried on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import mappings
from cases.actions import sources as actions
from cases.actions.source_fields import checked
from cases.api import documented, paging
from cases.api import source_shapes as shapes
from cases.api.base import ApiViewSet, as_read, read_facts, tagged, whole, with_facts
from cases.api.etags import expected_version
from cases.api.mappings import Mapping, mapping_dict
from cases.api.sources import source_dict
from cases.errors import Conflict, Missing
from cases.ingest import counters
from cases.ingest.pipeline import receive, rules_of
from cases.ingest.reading import Unreadable
from cases.models import AlertSource, SourceMapping, SourceSample, SourceToken
from cases.permissions import readable_source, source_for
from cases.views.key_preview import preview_key
from soar.lib.clock import iso

NO_PART = gettext_noop("The source has no such part.")
M = TypeVar("M", SourceToken, SourceSample)


class SourceParts(ApiViewSet):
    """``/sources/{slug}/tokens/ samples/ sample/ key-preview/ mapping/versions/``."""

    @extend_schema(
        operation_id="sources_tokens_list", **documented.listing("List a source's tokens", shapes.TOKEN_PAGE)
    )
    def tokens(self, request: Request, slug: str) -> Response:
        """Newest first; the tokens themselves are not kept."""
        rows = SourceToken.objects.filter(source=readable_source(self.user, slug))
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, [token_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a source's token", shapes.SourceToken))
    def token(self, request: Request, slug: str, token: str) -> Response:
        """Until when it works, with the ETag under which it can be revoked; not the token itself."""
        row = SourceToken.objects.filter(source=readable_source(self.user, slug), pk=whole(token)).first()
        if row is None:
            raise Missing(_(NO_PART))
        return read_facts(request, token_dict(row))

    @extend_schema(**documented.secret("Make a source's new token", shapes.Rotate, shapes.SourceMade))
    def rotate(self, request: Request, slug: str) -> Response:
        """It is shown this once, and works for so many `days` (for good). Those that work now end after `overlap_hours`
        (24)."""
        given = self.body(shapes.Rotate)
        hours, days = given.get("overlap_hours", 24), given.get("days")
        source, token = actions.rotate_token(self.actor, slug, overlap_hours=hours, days=days)
        return Response({**source_dict(source), "token": token}, status=201)

    @extend_schema(**documented.remove("Revoke a source's token"))
    def revoke(self, request: Request, slug: str, token: str) -> Response:
        """At once. Revoking twice changes nothing."""
        pk = whole(token)
        self._as_read(request, slug, SourceToken, pk, token_dict, lambda: actions.revoke_token(self.actor, slug, pk))
        return Response(status=204)

    @extend_schema(
        **documented.verb("Preview another key", shapes.KeyFields, shapes.KeyPreview, tagged=False, keyed=False)
    )
    def key_preview(self, request: Request, slug: str) -> Response:
        """Which of the newest alerts that you may see would have been one, or several, by these paths."""
        source, given = source_for(self.user, slug), self.body(shapes.KeyFields)
        found = preview_key(self.user, source, checked(given)["key_fields"])
        named = ("key", "count", "title", "numbers")
        answer = {name: getattr(found, name) for name in ("read", "after", "split", "unreadable", "all")}
        return Response({**answer, "merged": [dict(zip(named, one, strict=True)) for one in found.merged]})

    @extend_schema(**documented.verb("Send a sample", shapes.Sample, shapes.Sampled, tagged=False))
    def sample(self, request: Request, slug: str) -> Response:
        """Through the same pipeline as every delivery: it makes alerts. 409 while the source is off."""
        source, given = source_for(self.user, slug), self.body(shapes.Sample)
        if not source.enabled:
            raise Conflict(_("The source is off. Switch it on first."))
        return self.once(lambda: _sampled(source, given["payload"]))

    @extend_schema(**documented.listing("List the samples a source keeps", shapes.SAMPLE_PAGE))
    def samples(self, request: Request, slug: str) -> Response:
        """Oldest first."""
        rows = SourceSample.objects.filter(source=source_for(self.user, slug))
        found = paging.page(request, rows, paging.OLDEST)
        return Response(paging.paged(request, found, [sample_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Keep a sample", shapes.NewSample, shapes.KeptSample, tagged=False))
    def keep_sample(self, request: Request, slug: str) -> Response:
        """At most ten; every new version of the mapping is tried on them."""
        source_for(self.user, slug)
        given = self.body(shapes.NewSample)

        def run() -> Response:
            made = mappings.add_sample(self.actor, slug, given["name"], given["payload"])
            made.refresh_from_db()
            return with_facts(sample_dict(made), 201)

        return self.once(run)

    @extend_schema(**documented.remove("Keep a sample no longer"))
    def drop_sample(self, request: Request, slug: str, sample: str) -> Response:
        """404 for one that the source does not keep."""
        pk = whole(sample)
        self._as_read(
            request, slug, SourceSample, pk, sample_dict, lambda: mappings.remove_sample(self.actor, slug, pk)
        )
        return Response(status=204)

    @extend_schema(**documented.listing("List the versions of a source's mapping", shapes.VERSION_PAGE))
    def versions(self, request: Request, slug: str) -> Response:
        """Newest first."""
        rows = SourceMapping.objects.filter(source=readable_source(self.user, slug))
        found = paging.page(request, rows)
        return Response(paging.paged(request, found, [version_dict(row) for row in found.rows]))

    @extend_schema(**documented.verb("Restore a version of a source's mapping", shapes.RestoreMapping, Mapping))
    def restore(self, request: Request, slug: str) -> Response:
        """It becomes the newest version. 409 if it does not fit the kept samples any more, unless `anyway`."""
        source_for(self.user, slug)
        given = self.body(shapes.RestoreMapping)
        expected = expected_version(request)

        def run() -> Response:
            mappings.restore(self.actor, slug, given["version"], version=expected, anyway=given.get("anyway", False))
            return tagged(mapping_dict(source_for(self.user, slug)))

        return self.once(run)

    def _as_read(
        self,
        request: Request,
        slug: str,
        part: type[M],
        pk: int,
        show: Callable[[M], dict[str, Any]],
        act: Callable[[], object],
    ) -> None:
        """``act`` on a part of the source under ``If-Match``. The source's row is locked, as actions do. Raises Stale,
        Missing for another source's."""
        source = source_for(self.user, slug)
        rows = part._default_manager.filter(pk=pk, source=source)
        if not rows.exists():
            raise Missing(_(NO_PART))
        as_read(request, AlertSource.objects.filter(pk=source.pk), lambda _row: show(rows.get()), act)


def _sampled(source: Any, text: str) -> Response:
    rules = rules_of(source)
    try:
        outcomes, _several = receive(rules, text.encode("utf-8", "replace"), "application/json")
    except Unreadable as error:
        counters.note(source.pk, refused=1, error=error.message)
        raise ValidationError({"payload": [error.message]}) from error
    refused = [one.detail for one in outcomes if one.detail]
    created = sum(one.status == 201 for one in outcomes)
    counters.note(
        source.pk,
        accepted=created,
        repeats=len(outcomes) - created - len(refused),
        refused=len(refused),
        error=refused[-1] if refused else "",
    )
    told = ("id", "number", "created", "count", "note", "detail")
    results = [{"status": one.status, **one.as_json(rules)} for one in outcomes]
    return Response({"results": [{k: v for k, v in row.items() if k in ("status", *told)} for row in results]})


def token_dict(row: SourceToken) -> dict[str, Any]:
    """A source's token in JSON, without the token."""
    return {
        "id": row.pk,
        "prefix": row.prefix,
        "created_at": iso(row.created_at),
        "expires_at": iso(row.expires_at),
        "revoked_at": iso(row.revoked_at),
    }


def sample_dict(row: SourceSample) -> dict[str, Any]:
    """A kept sample in JSON."""
    return {
        "id": row.pk,
        "name": row.name,
        "payload": row.body,
        "made_by": row.made_by_name,
        "made_at": iso(row.made_at),
    }


def version_dict(row: SourceMapping) -> dict[str, Any]:
    """A version of a mapping in JSON."""
    return {
        "version": row.number,
        "mapping": row.mapping,
        "made_by": row.made_by_name,
        "made_at": iso(row.made_at),
        "restored_from": row.restored_from,
        "misfits": row.misfits,
    }
