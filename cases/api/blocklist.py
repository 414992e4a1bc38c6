"""The built-in block list: everybody who sees cases may read it, responders change it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers as s
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api import documented, paging
from cases.api.base import ApiViewSet, as_read, read_facts, whole
from cases.api.fields import Body, Text, Whole
from cases.api.shapes import page_of
from soar.connectors.blocklist import actions
from soar.connectors.blocklist.feeds import sparing
from soar.connectors.blocklist.search import STATES, found, state_of, told
from soar.connectors.blocklist.values import ALIASES, BLOCKABLE
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.models import BlockEntry
from soar.lib.clock import iso

PASSING = ("excepted", "state")  # exceptions and the clock change them
FILTERS = ("q", "type", "state")


class NewBlock(Body):
    """A value to block. What is blocked already answers 200 and stays until the later of both ends."""

    type = Text(max_length=20, help_text=f"One of: {', '.join((*BLOCKABLE, *ALIASES, 'hash'))}")
    value = Text(max_length=2048)
    reason = Text(max_length=500)
    days = Whole(required=False, allow_null=True, min_value=1, help_text="null: for good")
    reference = Text(max_length=200, required=False, allow_blank=True, help_text="What for: INC-12")


class Block(s.Serializer[Any]):
    """An entry of the block list."""

    id = s.IntegerField()
    type = s.CharField(help_text=f"One of: {', '.join(BLOCKABLE)}")
    value = s.CharField()
    reason = s.CharField(help_text="Empty where it names a case that you may not see, as is `reference`")
    reference = s.CharField()
    added_by = s.CharField()
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField(allow_null=True)
    removed_at = s.DateTimeField(allow_null=True)
    removed_by = s.CharField()
    state = s.ChoiceField([word for word in STATES if word != "any"])
    excepted = s.CharField(help_text="The exception that keeps it out of the feed; empty: it is in the feed")


BLOCK_PAGE = page_of(Block)


class Blocks(ApiViewSet):
    """``/blocklist/``."""

    @extend_schema(
        **documented.listing(
            "List blocked values",
            BLOCK_PAGE,
            params=["q", "type", OpenApiParameter("state", str, enum=list(STATES)), documented.ordering(paging.BY_ID)],
        )
    )
    def list(self, request: Request) -> Response:
        """What counts now, unless `state` says otherwise. `q`: part of a value, reason or reference, or an address."""
        self._may_read()
        paging.check_params(request, (*FILTERS, "ordering"))
        wanted = {name: request.query_params.get(name, "") for name in FILTERS}
        wanted["state"] = wanted["state"] or "active"
        if wanted["state"] not in STATES:
            raise ValidationError({"state": [_("One of: %(states)s.") % {"states": ", ".join(STATES)}]})
        if wanted["type"] and wanted["type"] not in BLOCKABLE:
            raise ValidationError({"type": [_("One of: %(blockable)s.") % {"blockable": ", ".join(BLOCKABLE)}]})
        page = paging.page(request, found(self.user, **wanted), paging.order_of(request, paging.BY_ID))
        spared = sparing()
        return Response(
            paging.paged(
                request, page, [_block(row, spared(row.type, row.value)) for row in told(self.user, page.rows)]
            )
        )

    @extend_schema(**documented.create("Block a value", NewBlock, Block, tagged=False))
    def create(self, request: Request) -> Response:
        """For responders. 201 for a new one, 200 for what is blocked already; 400 for what an exception protects."""
        self._may_change()
        given = self.body(NewBlock)
        return self.once(lambda: self._add(given))

    @extend_schema(**documented.read("Read an entry of the block list", Block))
    def retrieve(self, request: Request, id: str) -> Response:
        """Also one that expired or was removed."""
        self._may_read()
        row = BlockEntry.objects.filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return read_facts(request, self._told(row), PASSING)

    @extend_schema(**documented.remove("Take a value off the block list"))
    def destroy(self, request: Request, id: str) -> Response:
        """For responders. One that is removed already is left as it is."""
        self._may_change()
        rows = BlockEntry.objects.filter(pk=whole(id))
        if not rows.exists():
            raise NotFound
        name = self.user.display_name()
        as_read(request, rows, self._told, lambda: actions.remove_entry(name, self.user, whole(id)), PASSING)
        return Response(status=204)

    def _add(self, given: dict[str, Any]) -> Response:
        fields = dict(given)
        try:
            row, new = actions.add(
                self.user.display_name(), self.user, fields.pop("type"), fields.pop("value"), **fields
            )
        except Forbidden as error:
            raise PermissionDenied(str(error)) from None
        except Refused as error:
            raise ValidationError({name or "value": [text] for name, text in error.errors.items()}) from None
        return Response(
            _block(told(self.user, [row])[0]),
            status=201 if new else 200,
            headers={"Location": f"/api/v1/blocklist/{row.pk}/"},
        )

    def _told(self, row: BlockEntry) -> dict[str, Any]:
        return _block(told(self.user, [row])[0], sparing()(row.type, row.value))

    def _may_read(self) -> None:
        self.need("view_cases", _("The permission to see cases is missing."))

    def _may_change(self) -> None:
        self.need("respond", _("The permission to change the block list is missing."))


def _block(row: BlockEntry, excepted: str = "") -> dict[str, Any]:
    """An entry in JSON."""
    return {
        **{name: getattr(row, name) for name in ("type", "value", "reason", "reference", "added_by", "removed_by")},
        "id": row.pk,
        "created_at": iso(row.created_at),
        "expires_at": iso(row.expires_at),
        "removed_at": iso(row.removed_at),
        "state": state_of(row),
        "excepted": excepted,
    }
