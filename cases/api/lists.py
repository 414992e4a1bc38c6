"""The house's own lists, the warning lists, and the tokens of the block list's feeds (connectors.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api import list_shapes as shapes
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from cases.api.refusing import told
from soar.connectors.blocklist import tokens
from soar.connectors.intelligence import actions
from soar.connectors.models import ExceptionEntry, FeedToken, OwnListEntry, WarningList
from soar.lib.clock import iso

READ_CASES = gettext_noop("The permission to see cases is missing.")
CHANGE = gettext_noop("The permission to manage settings is missing.")
TOKENS = gettext_noop("The permission to manage connectors is missing.")


class Lists(ApiViewSet):
    """What exceptions and the own list share."""

    def _page(self, request: Request, rows: QuerySet[Any]) -> Response:
        self.need("view_cases", _(READ_CASES))
        if text := request.query_params.get("q", "").strip():
            rows = rows.filter(value__icontains=text)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [entry_dict(row) for row in found.rows]))

    def _read(self, request: Request, rows: QuerySet[Any], id: str) -> Response:
        self.need("view_cases", _(READ_CASES))
        row = rows.filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return read_facts(request, entry_dict(row))

    def _add(self, given: dict[str, Any], act: Callable[..., Any]) -> Response:
        self.need("manage_settings", _(CHANGE))
        fields = {**given, "type_": given["type"]}
        del fields["type"]

        def run() -> Response:
            with told():
                row = act(self.user, **fields)
            return with_facts(entry_dict(row), 201)

        return self.once(run)

    def _remove(self, request: Request, rows: QuerySet[Any], id: str, act: Callable[..., Any]) -> Response:
        self.need("manage_settings", _(CHANGE))
        with told():
            gone = as_read(request, rows.filter(pk=whole(id)), entry_dict, lambda: act(self.user, whole(id)))
        if gone is None:
            raise NotFound
        return Response(status=204)


class Exceptions(Lists):
    """``/exceptions/``."""

    @extend_schema(
        **documented.listing(
            "List the exceptions", shapes.EXCEPTION_PAGE, params=["q", documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """What is never rated and never acted upon, newest first. `q`: part of a value."""
        return self._page(request, ExceptionEntry.objects.all())

    @extend_schema(**documented.create("Add an exception", shapes.NewException, shapes.ListedException, tagged=False))
    def create(self, request: Request) -> Response:
        """For those who manage settings. Beats every list."""
        return self._add(self.body(shapes.NewException), actions.add_exception)

    @extend_schema(**documented.read("Read an exception", shapes.ListedException))
    def retrieve(self, request: Request, id: str) -> Response:
        """Also one that has expired."""
        return self._read(request, ExceptionEntry.objects.all(), id)

    @extend_schema(**documented.remove("Remove an exception"))
    def destroy(self, request: Request, id: str) -> Response:
        """What it held back is rated when it is seen next."""
        return self._remove(request, ExceptionEntry.objects.all(), id, actions.remove_exception)


class OwnList(Lists):
    """``/own-list/``."""

    @extend_schema(
        **documented.listing("Read the own list", shapes.OWN_PAGE, params=["q", documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Values that the house knows to be bad or good, newest first. `q`: part of a value."""
        return self._page(request, OwnListEntry.objects.all())

    @extend_schema(**documented.create("Add to the own list", shapes.NewOwn, shapes.OwnEntry, tagged=False))
    def create(self, request: Request) -> Response:
        """For those who manage settings."""
        return self._add(self.body(shapes.NewOwn), actions.add_own)

    @extend_schema(**documented.read("Read an entry of the own list", shapes.OwnEntry))
    def retrieve(self, request: Request, id: str) -> Response:
        """Also one that has expired."""
        return self._read(request, OwnListEntry.objects.all(), id)

    @extend_schema(**documented.remove("Remove from the own list"))
    def destroy(self, request: Request, id: str) -> Response:
        """Ratings made by it stay until the observable is rated again."""
        return self._remove(request, OwnListEntry.objects.all(), id, actions.remove_own)


class WarningLists(ApiViewSet):
    """``/warning-lists/``."""

    @extend_schema(
        **documented.listing("List the warning lists", shapes.WARNING_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """Lists of values that are known to be good, or worth knowing."""
        self.need("view_cases", _(READ_CASES))
        found = paging.page(request, WarningList.objects.all(), paging.order_of(request, paging.BY_ID, "id"))
        return Response(paging.paged(request, found, [warning_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a warning list", shapes.WarningListShape))
    def retrieve(self, request: Request, id: str) -> Response:
        """Without its values."""
        self.need("view_cases", _(READ_CASES))
        return read_facts(request, warning_dict(self._row(id)))

    @extend_schema(**documented.change("Switch a warning list", shapes.Switch, shapes.WarningListShape))
    def partial_update(self, request: Request, id: str) -> Response:
        """Let it speak or be silent; for those who manage settings."""
        self.need("manage_settings", _(CHANGE))
        enabled = self.body(shapes.Switch)["enabled"]
        row = self._row(id)
        rows = WarningList.objects.filter(pk=row.pk)
        with told():
            as_read(request, rows, warning_dict, lambda: actions.set_list_enabled(self.user, row.pk, enabled))
        return with_facts(warning_dict(self._row(id)))

    def _row(self, id: str) -> WarningList:
        row = WarningList.objects.filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return row


class FeedTokens(ApiViewSet):
    """``/feed-tokens/``: with which firewalls pull the block list."""

    @extend_schema(
        **documented.listing("List feed tokens", shapes.FEED_TOKEN_PAGE, params=[documented.ordering(paging.BY_ID)])
    )
    def list(self, request: Request) -> Response:
        """For those who manage connectors; the tokens themselves are not kept."""
        self.need("manage_connectors", _(TOKENS), read_by="view_setup")
        found = paging.page(request, FeedToken.objects.all(), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [token_dict(row) for row in found.rows]))

    @extend_schema(**documented.secret("Make a feed token", shapes.NewFeedToken, shapes.FeedTokenMade))
    def create(self, request: Request) -> Response:
        """For the feed of one type. It is shown this once."""
        given = self.body(shapes.NewFeedToken)
        self.need("manage_connectors", _(TOKENS))
        with told():
            row, token = tokens.make(self.user, given["type"], given["name"])
        url = f"{settings.SOAR_URL}/feeds/blocklist/{row.type}.txt"
        return Response({**token_dict(row), "token": token, "feed_url": url}, status=201)

    @extend_schema(**documented.remove("Revoke a feed token"))
    def destroy(self, request: Request, id: str) -> Response:
        """At once. Revoking twice changes nothing."""
        self.need("manage_connectors", _(TOKENS))
        rows = FeedToken.objects.filter(pk=whole(id))
        with told():
            row = as_read(request, rows, token_dict, lambda: tokens.revoke(self.user, whole(id)))
        if row is None:
            raise NotFound
        return Response(status=204)


def entry_dict(row: ExceptionEntry | OwnListEntry) -> dict[str, Any]:
    """An entry of a list in JSON."""
    answer = {
        "id": row.pk,
        "type": row.type,
        "value": row.value,
        "reason": row.reason,
        "added_by": row.added_by,
        "added_at": iso(row.added_at),
        "expires_at": iso(row.expires_at),
    }
    return {**answer, "effect": row.effect} if isinstance(row, OwnListEntry) else answer


def warning_dict(row: WarningList) -> dict[str, Any]:
    """A warning list in JSON, without its values."""
    names = ("slug", "name", "description", "category", "type", "attributes", "effect", "enabled", "entry_count")
    facts = {name: getattr(row, name) for name in names}
    return {"id": row.pk, **facts, "version": row.version, "imported_at": iso(row.imported_at)}


def token_dict(row: FeedToken) -> dict[str, Any]:
    """A feed token in JSON, without the token."""
    return {
        "id": row.pk,
        "type": row.type,
        "name": row.name,
        "prefix": row.prefix,
        "created_by": row.created_by,
        "created_at": iso(row.created_at),
        "last_used_at": iso(row.last_used_at),
        "revoked_at": iso(row.revoked_at),
    }
