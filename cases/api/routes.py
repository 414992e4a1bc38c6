"""Rules of routing, which connector a response goes to: for those who manage connectors (connectors.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import bodies, documented
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from cases.api.connectors import NOT_YOURS
from cases.api.fields import Body, Text
from cases.api.refusing import told
from soar.accounts.membership import may
from soar.connectors import routing
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.models import Route

T = TypeVar("T")
PASSING = ("number",)  # others move it

FITS_ALL = "Empty: any"
WHAT = f"Empty: all. Else one of: {', '.join(CAPABILITIES)}"


class NewRoute(Body):
    """A rule; it is put behind the others. What is left out or empty fits everything."""

    connector = Text(max_length=100, help_text="Name of a connector that can act")
    capability = Text(max_length=40, required=False, allow_blank=True, help_text=WHAT)
    asset_group = Text(max_length=100, required=False, allow_blank=True, help_text=FITS_ALL)
    tag = Text(max_length=100, required=False, allow_blank=True, help_text=FITS_ALL)
    domain = Text(
        max_length=255,
        required=False,
        allow_blank=True,
        help_text="The end of a host's name, of a mailbox's domain, or of a web address's host. " + FITS_ALL,
    )


class RouteChanges(NewRoute):
    """What is given is changed; an empty text fits everything."""

    connector = Text(max_length=100, required=False, help_text="Name of a connector that can act")


class RouteShape(s.Serializer[Any]):
    """A rule of routing. The first one that fits, by `number`, decides."""

    id = s.IntegerField()
    number = s.IntegerField(help_text="Its place, from 1")
    connector = s.CharField()
    connector_id = s.IntegerField()
    capability = s.CharField(help_text=WHAT)
    asset_group = s.CharField()
    tag = s.CharField()
    domain = s.CharField()


class RouteList(s.Serializer[Any]):
    """All rules in their order; `next` is always null."""

    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    results = RouteShape(many=True)


class Routes(ApiViewSet):
    """``/connector-routes/``."""

    @extend_schema(**documented.whole_list("List the rules of routing", RouteList))
    def list(self, request: Request) -> Response:
        """All of them, in the order in which they are asked. What no rule fits goes to the first connector that can do
        it and that no rule keeps for something else."""
        self._reading()
        return Response({"next": None, "previous": None, "results": _rules()})

    @extend_schema(**documented.create("Add a rule of routing", NewRoute, RouteShape, tagged=False))
    def create(self, request: Request) -> Response:
        """It is the last one; `raise` brings it forward."""
        self._managing()
        given = self.body(NewRoute)
        return self.once(lambda: self._add(dict(given)))

    @extend_schema(**documented.read("Read a rule of routing", RouteShape))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its place."""
        self._reading()
        return read_facts(request, _rule(whole(id)), PASSING)

    @extend_schema(**documented.change("Change a rule of routing", RouteChanges, RouteShape))
    def partial_update(self, request: Request, id: str) -> Response:
        """At its place; `raise` moves it."""
        self._managing()
        pk, changes = whole(id), self.body(RouteChanges)
        texts = {name: _rule(pk)[name] for name in ("capability", "asset_group", "tag", "domain")}
        account = self._account(changes.pop("connector")) if "connector" in changes else _rule(pk)["connector_id"]
        with told(_place):
            made = self._as_read(
                request, pk, lambda: routing.change_route(self.user, pk, account=account, **texts | changes)
            )
        if made is None:
            raise NotFound
        return with_facts(_rule(pk), passing=PASSING)

    @extend_schema(**documented.remove("Remove a rule of routing"))
    def destroy(self, request: Request, id: str) -> Response:
        """The connector stays."""
        self._managing()
        if not self._as_read(request, whole(id), lambda: routing.remove_route(self.user, whole(id))):
            raise NotFound
        return Response(status=204)

    @extend_schema(**documented.verb("Bring a rule one forward", bodies.Nothing, RouteShape, tagged=False, keyed=False))
    def earlier(self, request: Request, id: str) -> Response:
        """It changes places with the one before it; nothing happens to the first."""
        self._managing()
        self.body(bodies.Nothing)
        _rule(whole(id))
        routing.raise_route(self.user, whole(id))
        return Response(_rule(whole(id)))

    def _reading(self) -> None:
        if not may(self.user, "view_setup"):
            self._managing()

    def _managing(self) -> None:
        self.need("manage_connectors", _(NOT_YOURS))

    def _add(self, given: dict[str, Any]) -> Response:
        account = self._account(given.pop("connector"))
        with told(_place):
            made = routing.add_route(self.user, account=account, **given)
        return with_facts(_rule(made.pk), 201, passing=PASSING, location=f"/api/v1/connector-routes/{made.pk}/")

    def _account(self, name: str) -> int:
        wanted = name.strip().casefold()
        return next((one.pk for one in routing.responders() if one.name.casefold() == wanted), 0)

    def _as_read(self, request: Request, pk: int, act: Callable[[], T]) -> T:
        return as_read(request, Route.objects.filter(pk=pk), lambda row: _rule(row.pk), act, PASSING)


def _place(field: str) -> str:
    return "connector" if field == "account" else field


def _rules() -> list[dict[str, Any]]:
    rows = Route.objects.select_related("account").order_by("order", "pk")
    return [_shown(row, number) for number, row in enumerate(rows, 1)]


def _rule(pk: int) -> dict[str, Any]:
    found = next((one for one in _rules() if one["id"] == pk), None)
    if found is None:
        raise NotFound
    return found


def _shown(row: Route, number: int) -> dict[str, Any]:
    texts = {name: getattr(row, name) for name in ("capability", "asset_group", "tag", "domain")}
    return {
        "id": row.pk,
        "number": number,
        "connector": row.account.name,
        "connector_id": row.account_id,
        **texts,
    }
