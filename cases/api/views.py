"""Saved views of the queue: one's own, and those shared with one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import saved_views
from cases.api import documented, fields
from cases.api.base import ApiViewSet, as_read, read_facts, whole, with_facts
from cases.api.fields import Body, Flag, Text
from cases.models import SavedView

AUDIENCES = SavedView.Audience.values


class ViewBody(Body):
    """A name, the queue's query string, who finds it; ``default`` is the caller's own."""

    name = Text(max_length=60)
    query = Text(max_length=saved_views.QUERY_AT_MOST, allow_blank=True, required=False)
    audience = fields.Words(AUDIENCES, required=False)
    team = Text(max_length=100, allow_null=True, required=False)
    default = Flag(required=False)


class ViewOrder(Body):
    """Ids of one's own views; those not named follow."""

    views = serializers.ListField(child=fields.Whole(min_value=1), max_length=saved_views.AT_MOST)


class View(serializers.Serializer[Any]):
    """A saved view."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    query = serializers.CharField()
    audience = fields.Words(AUDIENCES)
    team = serializers.CharField(allow_null=True)
    owner = serializers.CharField()
    default = serializers.BooleanField(help_text="It opens the caller's queue")
    url = serializers.URLField()


class ViewList(serializers.Serializer[Any]):
    """All views that the caller finds, their own first, in one page."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = View(many=True)


class Views(ApiViewSet):
    """``/views/``."""

    @extend_schema(**documented.whole_list("List saved views", ViewList))
    def list(self, request: Request) -> Response:
        """One's own in their order, then those that are shared with one's teams or everybody."""
        self.need("view_cases", _("The permission to see alerts is missing."))
        rows = [view_dict(view) for view in saved_views.views_for(self.user)]
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(**documented.create("Save a view", ViewBody, View, tagged=False))
    def create(self, request: Request) -> Response:
        """`query` is the queue's query string. Sharing with a team needs to be in it, with everybody to manage
        settings. A view is a question: each reader gets what they may see."""
        given = self.body(ViewBody)

        def run() -> Response:
            view = saved_views.create(self.user, given)
            return Response(self._shown(view.pk), status=201, headers={"Location": _url(view.pk)})

        return self.once(run)

    @extend_schema(**documented.read("Read a saved view", View))
    def retrieve(self, request: Request, id: str) -> Response:
        """One that the caller finds."""
        self.need("view_cases", _("The permission to see alerts is missing."))
        return read_facts(request, self._shown(whole(id)))

    @extend_schema(**documented.change("Change a saved view", ViewBody, View))
    def partial_update(self, request: Request, id: str) -> Response:
        """What is named; `default` for any view that one finds, the rest for one's own."""
        given = self.body(ViewBody, partial=True)
        self.need("view_cases", _("The permission to see alerts is missing."))
        self._as_read(request, whole(id), lambda: saved_views.update(self.user, whole(id), given))
        return with_facts(self._shown(whole(id)))

    @extend_schema(**documented.remove("Delete a saved view"))
    def destroy(self, request: Request, id: str) -> Response:
        """It is gone for everybody who found it."""
        self.need("view_cases", _("The permission to see alerts is missing."))
        self._as_read(request, whole(id), lambda: saved_views.delete(self.user, whole(id)))
        return Response(status=204)

    @extend_schema(**documented.verb("Put saved views in order", ViewOrder, ViewList, tagged=False))
    def order(self, request: Request) -> Response:
        """One's own."""
        given = self.body(ViewOrder)
        self.need("view_cases", _("The permission to see alerts is missing."))

        def run() -> Response:
            saved_views.reorder(self.user, given["views"])
            return self.list(request)

        return self.once(run)

    def _as_read(self, request: Request, pk: int, act: Callable[[], object]) -> None:
        self._shown(pk)  # whoever does not find it must not hear that it was changed
        as_read(request, SavedView.objects.filter(pk=pk), lambda row: self._shown(row.pk), act)

    def _shown(self, pk: int) -> dict[str, Any]:
        return view_dict(saved_views.view_for(self.user, pk))


def view_dict(view: SavedView) -> dict[str, Any]:
    """A view in JSON, as ``views_for`` reads it."""
    return {
        "id": view.pk,
        "name": view.name,
        "query": view.query,
        "audience": view.audience,
        "team": view.team.name if view.team else None,
        "owner": view.owner.username,
        "default": view.is_default,  # type: ignore[attr-defined]
        "url": f"{settings.SOAR_URL}/alerts/?{saved_views.address(view)}",
    }


def _url(pk: int) -> str:
    return f"{settings.SOAR_URL}/api/v1/views/{pk}/"
