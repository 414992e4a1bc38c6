"""What there is to choose from: kinds of source, connector and timeline entry, and capabilities. Small fixed lists."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases import timeline_kinds
from cases.api import documented
from cases.api.base import ApiViewSet
from cases.api.shapes import page_of
from cases.ingest.registry import KINDS as SOURCES
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.kinds import Setting
from soar.connectors.registry import KINDS as CONNECTORS

READ_CASES = gettext_noop("The permission to see alerts and incidents is missing.")


class SourceKind(s.Serializer[Any]):
    """A kind of source."""

    name = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    delivers = s.CharField(help_text="endpoint, email, both or other")
    several = s.BooleanField(help_text="One document may hold several alerts; answered with 207")


class KindSetting(s.Serializer[Any]):
    """A setting or secret of a kind of connector."""

    name = s.CharField()
    help = s.CharField()
    form = s.CharField(help_text="text, lines, url, number, flag or choice")
    required = s.BooleanField()  # type: ignore[assignment]
    default = s.JSONField(allow_null=True)
    choices = s.ListField(child=s.CharField())


class ConnectorKind(s.Serializer[Any]):
    """A kind of connector: what `POST /connectors/` takes."""

    name = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    settings = KindSetting(many=True)
    secrets = KindSetting(many=True)


class TimelineKind(s.Serializer[Any]):
    """A kind of timeline entry; webhooks name them."""

    name = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    group = s.CharField(help_text="notes, changes, playbooks or servicenow")


class CapabilityShape(s.Serializer[Any]):
    """Something that connectors can be asked to do; `POST /response-tasks/` takes its name as `action`."""

    name = s.CharField()
    label = s.CharField()  # type: ignore[assignment]
    targets = s.ListField(child=s.CharField(), help_text="Kinds of thing that it acts on")
    destructive = s.BooleanField(help_text="The never-touch list and benign lists hold it back")
    inverse = s.CharField(help_text="What undoes it; empty: nothing does")


SOURCE_KINDS = page_of(SourceKind)
CONNECTOR_KINDS = page_of(ConnectorKind)
TIMELINE_KINDS = page_of(TimelineKind)
CAPABILITY_PAGE = page_of(CapabilityShape)


class Kinds(ApiViewSet):
    """``/source-kinds/ connector-kinds/ timeline-kinds/ capabilities/``: each in one page."""

    @extend_schema(**documented.whole_list("List the kinds of source", SOURCE_KINDS))
    def sources(self, request: Request) -> Response:
        """What `kind` of a source can be."""
        kinds = SOURCES.values()
        return self._all([{**_named(one), "delivers": one.delivers, "several": one.multiple} for one in kinds])

    @extend_schema(**documented.whole_list("List the kinds of connector", CONNECTOR_KINDS))
    def connectors(self, request: Request) -> Response:
        """What `kind` of a connector can be, with its settings and secrets."""
        rows = [
            {
                **_named(one),
                "settings": [_setting(each) for each in one.all_settings()],
                "secrets": [_setting(each) for each in one.secrets],
            }
            for one in CONNECTORS.values()
        ]
        return self._all(rows)

    @extend_schema(**documented.whole_list("List the kinds of timeline entry", TIMELINE_KINDS))
    def timeline(self, request: Request) -> Response:
        """What `kind` of an entry can be."""
        return self._all([{**_named(one), "group": one.group} for one in timeline_kinds.KINDS.values()])

    @extend_schema(**documented.whole_list("List the capabilities", CAPABILITY_PAGE))
    def capabilities(self, request: Request) -> Response:
        """What response actions there are."""
        rows = [
            {
                **_named(one),
                "targets": list(one.targets),
                "destructive": one.destructive,
                "inverse": one.inverse,
            }
            for one in CAPABILITIES.values()
        ]
        return self._all(rows)

    def _all(self, rows: list[dict[str, Any]]) -> Response:
        self.need("view_cases", _(READ_CASES))
        return Response({"next": None, "previous": None, "results": rows})


def _named(one: Any) -> dict[str, str]:
    return {"name": one.name, "label": str(one.label)}


def _setting(one: Setting) -> dict[str, Any]:
    return {
        "name": one.name,
        "help": str(one.help),
        "form": one.form,
        "required": one.required,
        "default": one.default,
        "choices": list(one.choices),
    }
