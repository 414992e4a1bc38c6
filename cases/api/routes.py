"""Rules of routing, which connector a response goes to: for those who manage connectors (connectors.md 2)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import bodies, documented
from cases.api.base import ApiViewSet, whole
from cases.api.connectors import NOT_YOURS
from cases.api.fields import Body, Text
from soar.connectors import routing
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.models import Route

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
    """All rules in their order."""

    results = RouteShape(many=True)


class Routes(ApiViewSet):
    """``/connector-routes/``."""

    @extend_schema(**documented.read("List the rules of routing", RouteList, tagged=False))
    def list(self, request: Request) -> Response:
        """All of them, in the order in which they are asked. What no rule fits goes to the first connector that can do
        it and that no rule keeps for something else."""
        self._managing()
        return Response({"results": _rules()})

    @extend_schema(**documented.create("Add a rule of routing", NewRoute, RouteShape, tagged=False))
    def create(self, request: Request) -> Response:
        """It is the last one; `raise` brings it forward."""
        self._managing()
        given = self.body(NewRoute)
        return self.once(lambda: self._add(dict(given)))

    @extend_schema(**documented.read("Read a rule of routing", RouteShape, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its place."""
        self._managing()
        return Response(_rule(whole(id)))

    @extend_schema(**documented.remove("Remove a rule of routing"))
    def destroy(self, request: Request, id: str) -> Response:
        """The connector stays."""
        self._managing()
        if not routing.remove_route(self.user, whole(id)):
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

    def _managing(self) -> None:
        self.need("manage_connectors", NOT_YOURS)

    def _add(self, given: dict[str, Any]) -> Response:
        name = given.pop("connector").strip().casefold()
        account = next((one.pk for one in routing.responders() if one.name.casefold() == name), 0)
        try:
            made = routing.add_route(self.user, account=account, **given)
        except Forbidden as error:
            raise PermissionDenied(str(error)) from None
        except Refused as error:
            raise ValidationError({_place(field): [text] for field, text in error.errors.items()}) from None
        return Response(_rule(made.pk), 201, headers={"Location": f"/api/v1/connector-routes/{made.pk}/"})


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
