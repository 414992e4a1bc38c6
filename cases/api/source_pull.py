"""How a source is read from its product: for those who manage sources (connectors.md 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import pulls
from cases.api import bodies, documented
from cases.api.base import ApiViewSet, as_read, read_facts, with_facts
from cases.api.fields import Body, Flag, Text, Whole
from cases.errors import Missing, Refused
from cases.models import AlertPull
from cases.permissions import readable_source, source_for
from cases.pulls.connecting import told
from soar.lib.clock import iso

# Readings change them, not people.
PASSING = ("read_until", "subject", "place", "due_at", "failures", "last_ok_at", "last_error", "last_error_at")


class NewPull(Body):
    """How the source is to be read. What is left out is as for a new one, not as it was."""

    connector = Text(max_length=100, help_text="Name of a connector that such alerts can be read with")
    enabled = Flag(required=False, default=True)
    every_seconds = Whole(required=False, default=60, help_text="10 to 86400 seconds between two readings")
    look_back_hours = Whole(
        required=False, default=24, help_text="0 to 2160: how old alerts may be that the first reading brings"
    )


class Pull(s.Serializer[Any]):
    """How a source is read, and how that goes."""

    connector = s.CharField(allow_null=True, help_text="null: the connector is gone, nothing is read")
    enabled = s.BooleanField()
    every_seconds = s.IntegerField()
    look_back_hours = s.IntegerField()
    read_until = s.DateTimeField(allow_null=True, help_text="All before it is stored; null: not read yet")
    subject = s.CharField(help_text="What is read, where the connector can read several things")
    place = s.CharField(help_text="How far it came in words, where that is more than the time")
    due_at = s.DateTimeField(help_text="When it is read next")
    failures = s.IntegerField(help_text="In a row")
    last_ok_at = s.DateTimeField(allow_null=True)
    last_error = s.CharField()
    last_error_at = s.DateTimeField(allow_null=True)


class Tested(s.Serializer[Any]):
    """What a test of the connection found."""

    ok = s.BooleanField()
    message = s.CharField(help_text="In a sentence, the product's own words where it gave any")
    milliseconds = s.IntegerField()


class SourcePull(ApiViewSet):
    """``/sources/{slug}/pull/``."""

    @extend_schema(**documented.read("Read how a source is read", Pull))
    def retrieve(self, request: Request, slug: str) -> Response:
        """404 for a source that is not read from its product."""
        readable_source(self.user, slug)
        return read_facts(request, _shown(slug), PASSING)

    @extend_schema(**documented.verb("Have a source read", NewPull, Pull, keyed=False))
    def replace(self, request: Request, slug: str) -> Response:
        """Sets it up or changes it. Another connector begins anew, `look_back_hours` back."""
        source_for(self.user, slug)
        given = self.body(NewPull)
        name = _called(self.user, slug, given.pop("connector"))
        try:
            _as_read(request, slug, lambda: pulls.set_pull(self.actor, slug, account=name, **given))
        except Refused as error:
            raise Refused(error.message, field="connector" if error.field == "account" else error.field) from None
        return with_facts(_shown(slug), passing=PASSING)

    @extend_schema(**documented.remove("Read a source no more"))
    def destroy(self, request: Request, slug: str) -> Response:
        """What was read stays. Twice changes nothing."""
        source_for(self.user, slug)
        _as_read(request, slug, lambda: pulls.remove_pull(self.actor, slug))
        return Response(status=204)

    @extend_schema(**documented.verb("Read a source now", bodies.Nothing, Pull, tagged=False, keyed=False, code=202))
    def now(self, request: Request, slug: str) -> Response:
        """202: a worker reads it at once instead of when it is due."""
        source_for(self.user, slug)
        self.body(bodies.Nothing)
        pulls.pull_now(self.actor, slug)
        return Response(_shown(slug), status=202)

    @extend_schema(**documented.verb("Test the reading of a source", bodies.Nothing, Tested, tagged=False, keyed=False))
    def test(self, request: Request, slug: str) -> Response:
        """Asks its product, with the connector that it is read with; takes nothing."""
        source_for(self.user, slug)
        self.body(bodies.Nothing)
        health = pulls.test_pull(self.actor, slug)
        return Response({"ok": health.ok, "message": health.message, "milliseconds": health.milliseconds})


def _as_read(request: Request, slug: str, act: Callable[[], object]) -> None:
    as_read(request, AlertPull.objects.filter(source__slug=slug), lambda row: _shown(slug), act, PASSING)


def _called(user: Any, slug: str, name: str) -> str:
    """The connector's own writing of its name."""
    able = pulls.accounts_for(user, source_for(user, slug).kind)
    return next((one.name for one in able if one.name.casefold() == name.strip().casefold()), name)


def _shown(slug: str) -> dict[str, Any]:
    row = AlertPull.objects.select_related("account").filter(source__slug=slug).first()
    if row is None:
        raise Missing(_("This source is not read from its product."))
    subject, place = told(row)
    return {
        "connector": row.account.name if row.account else None,
        "enabled": row.enabled,
        "every_seconds": row.every_seconds,
        "look_back_hours": row.look_back_hours,
        "read_until": iso(row.read_until),
        "subject": subject,
        "place": place,
        "due_at": iso(row.due_at),
        "failures": row.failures,
        "last_ok_at": iso(row.last_ok_at),
        "last_error": row.last_error,
        "last_error_at": iso(row.last_error_at),
    }
