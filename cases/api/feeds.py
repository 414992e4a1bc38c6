"""Feeds: what they brought, a file for one, and bringing one now (connectors.md 4). A feed is made as a connector."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, PermissionDenied, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import bodies, documented, paging
from cases.api import list_shapes as shapes
from cases.api.base import ApiViewSet, whole
from cases.api.evidence import FORM, UploadParser
from cases.api.parsing import StrictJSONParser
from cases.api.refusing import told
from soar.accounts.membership import may
from soar.connectors.intelligence.feeds import actions
from soar.connectors.intelligence.feeds.source import FEED_KINDS
from soar.connectors.intelligence.feeds.upload import Upload
from soar.connectors.models import ConnectorAccount, FeedImport
from soar.lib.clock import iso

READ_CASES = gettext_noop("The permission to see cases is missing.")
MANAGE = gettext_noop("The permission to manage connectors is missing.")


class Feeds(ApiViewSet):
    """``/feeds/``."""

    @extend_schema(**documented.listing("List feeds", shapes.FEED_PAGE, params=[documented.ordering(paging.BY_ID)]))
    def list(self, request: Request) -> Response:
        """What each brought, and how its last import went."""
        self.need("view_cases", _(READ_CASES))
        found = paging.page(request, _feeds(), paging.order_of(request, paging.BY_ID))
        files = _files([row.pk for row in found.rows])
        return Response(paging.paged(request, found, [feed_dict(row, files.get(row.pk)) for row in found.rows]))

    @extend_schema(**documented.read("Read a feed", shapes.Feed, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """`importing` is true while a worker is at it."""
        self.need("view_cases", _(READ_CASES))
        return Response(_shown(whole(id)))

    @extend_schema(
        **documented.verb("Bring a feed now", bodies.Nothing, shapes.Feed, tagged=False, keyed=False, code=202)
    )
    def bring(self, request: Request, id: str) -> Response:
        """A worker brings it from its address; one that is under way goes on. 202 in both cases."""
        self.body(bodies.Nothing)
        self.need("manage_connectors", _(MANAGE))
        with told():
            actions.request_import(self.user, whole(id))
        return Response(_shown(whole(id)), status=202)


class FeedFiles(ApiViewSet):
    """``/feeds/{id}/file/``."""

    parser_classes = [StrictJSONParser, UploadParser]
    upload: Upload | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer. A form is set up as an upload before the login looks into it."""
        if request.method != "POST" or request.content_type != FORM:
            return super().dispatch(request, *args, **kwargs)
        self.upload = Upload(request, lambda: _may_send(request))
        request.upload_handlers = [self.upload]
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            self.upload.discard()

    @extend_schema(**documented.upload("Import a file into a feed", shapes.FeedUpload, shapes.Feed, code=202))
    def create(self, request: Request, id: str) -> Response:
        """A worker puts its values in place of the feed's. 400 while another file is on its way."""
        self.need("manage_connectors", _(MANAGE))
        if self.upload is None:
            raise UnsupportedMediaType(request.content_type or "", f"Send the file as {FORM}.")
        with told(whole="file"):
            writer = self.upload.received()
            actions.request_file(self.user, whole(id), writer, self.upload.name)
        self.upload.kept = True
        return Response(_shown(whole(id)), status=202)


def _may_send(request: HttpRequest) -> None:
    """Asked when the file begins: by then a token or a session has said who it is."""
    if not request.user.is_authenticated or not may(request.user, "manage_connectors"):
        raise PermissionDenied(_(MANAGE))


def _feeds() -> Any:
    return ConnectorAccount.objects.filter(kind__in=FEED_KINDS).select_related("feed")


def _files(ids: list[int]) -> dict[int, FeedImport]:
    rows = FeedImport.objects.filter(account__in=ids).order_by("account_id", "-pk").distinct("account_id")
    return {row.account_id: row for row in rows}


def _shown(pk: int) -> dict[str, Any]:
    row = _feeds().filter(pk=pk).first()
    if row is None:
        raise NotFound
    return feed_dict(row, _files([pk]).get(pk))


def feed_dict(account: ConnectorAccount, file: FeedImport | None) -> dict[str, Any]:
    """A feed in JSON."""
    state = getattr(account, "feed", None)
    return {
        "id": account.pk,
        "name": account.name,
        "enabled": account.enabled,
        "effect": str(account.settings.get("effect", "")),
        "entries": state.entry_count if state else 0,
        "skipped": state.skipped_count if state else 0,
        "counts": state.counts if state else {},
        "importing": bool(state and state.started_at) or bool(file and file.finished_at is None),
        "imported_at": iso(state.imported_at) if state else None,
        "failed_at": iso(state.failed_at) if state else None,
        "last_error": state.last_error if state else "",
        "file": _file(file) if file else None,
    }


def _file(row: FeedImport) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("name", "status", "size", "read_bytes", "error")},
        "taken": row.taken_count,
        "skipped": row.skipped_count,
        "created_at": iso(row.created_at),
        "finished_at": iso(row.finished_at),
    }
