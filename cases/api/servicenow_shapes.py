"""What calls of the ServiceNow sync take and answer (servicenow.md 10, rulings 27). Secrets of ServiceNow never come
out; the webhook's own is shown once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Text
from cases.api.shapes import Anything, page_of
from cases.models import LinkState
from cases.servicenow.mapping import FIELDS, WINNERS

LINK = {
    "id": 7,
    "incident": "INC-42",
    "instance": "example",
    "profile": "Security",
    "table": "incident",
    "number": "INC0010234",
    "url": "https://example.service-now.com/nav_to.do?uri=incident.do%3Fsys_id%3D46d44a5dc611227501b8d7d9ff0e17fb",
    "sys_id": "46d44a5dc611227501b8d7d9ff0e17fb",
    "state": "linked",
    "reason": "",
    "correlation_id": "soar:1f2e3d4c:42:0a1b2c3d4e5f6071",
    "made_by_us": True,
    "waiting": 0,
    "failed": 0,
    "conflicts": 0,
    "last_in_at": "2026-03-04T12:00:03Z",
    "last_out_at": "2026-03-04T12:00:02Z",
    "last_sync": "2026-03-04T12:00:03Z",
    "created_by": "Mara Lindqvist",
    "created_at": "2026-03-04T12:00:00Z",
}
CONFLICT = {
    "id": 3,
    "link": 7,
    "incident": "INC-42",
    "number": "INC0010234",
    "field": "severity",
    "base": {"value": "medium", "shown": "Medium", "by": "", "at": None},
    "ours": {"value": "high", "shown": "High", "by": "Mara Lindqvist", "at": "2026-03-04T12:00:00Z"},
    "theirs": {"value": "low", "shown": "Low", "by": "o.strand", "at": "2026-03-04T12:00:01Z"},
    "rule": "ask",
    "outcome": "",
    "decided_by": None,
    "decided_at": None,
    "created_at": "2026-03-04T12:00:02Z",
}
CHANGE = {
    "id": 12,
    "link": 7,
    "incident": "INC-42",
    "number": "INC0010234",
    "instance": "example",
    "kind": "fields",
    "what": "change State, Close code",
    "state": "failed",
    "said": "Operation Failed: Data Policy Exception: The following fields are mandatory: Close code",
    "hint": "Map the close code in the profile, then retry.",
    "attempts": 1,
    "due_at": "2026-03-04T12:00:02Z",
    "created_at": "2026-03-04T12:00:00Z",
}


def example(name: str, value: Any, *, answer: bool = False) -> Any:
    """A decorator: the shape with an example."""
    return extend_schema_serializer(
        examples=[OpenApiExample(name, value, response_only=answer, request_only=not answer)]
    )


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class Named(s.Field[Any, Any, Any, Any]):
    """A thing by its name or id."""

    default_error_messages = {"invalid": "Give a name or an id."}

    def to_internal_value(self, data: Any) -> str:
        """The reference as text."""
        if isinstance(data, bool) or not isinstance(data, int | str) or len(str(data)) > 100 or not str(data).strip():
            self.fail("invalid")
        return str(data)

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


@example("A link", LINK, answer=True)
class TicketLink(s.Serializer[Any]):
    """An incident and its ticket, which are kept equal."""

    id = s.IntegerField()
    incident = s.CharField()
    instance = s.CharField(help_text="Slug of the instance")
    profile = s.CharField()
    table = s.CharField()
    number = s.CharField(help_text="Of the ticket; empty while it is being made")
    url = s.CharField(help_text="Its page in ServiceNow; empty while it is being made")
    sys_id = s.CharField()
    state = s.ChoiceField(LinkState.values, help_text="broken: the ticket is missing or hidden, and a person decides")
    reason = s.CharField(help_text="Why it is broken or ended")
    correlation_id = s.CharField()
    made_by_us = s.BooleanField(help_text="False: a person linked a ticket that there was")
    waiting = s.IntegerField(help_text="Changes that are to be sent")
    failed = s.IntegerField(help_text="Of them those that wait for a person")
    conflicts = s.IntegerField(help_text="Open ones")
    last_in_at = s.DateTimeField(allow_null=True)
    last_out_at = s.DateTimeField(allow_null=True)
    last_sync = s.DateTimeField(allow_null=True, help_text="The later of the two")
    created_by = s.CharField()
    created_at = s.DateTimeField()


@example("By a profile", {"profile": "Security"})
class NewTicket(Body):
    """By a profile a ticket is made; with `number` the ticket that there is gets linked."""

    profile = Named()
    number = Text(max_length=40, required=False, help_text="Number or sys_id of a ticket")


@example("Another ticket", {"number": "INC0010240"})
class OtherTicket(Body):
    """The ticket that takes the place of one that is missing."""

    number = Text(max_length=40, help_text="Its number or sys_id")


@example("A conflict", CONFLICT, answer=True)
class TicketConflict(s.Serializer[Any]):
    """A field that both sides changed; `ours`, `theirs`, `base`: value, words, who, when."""

    id = s.IntegerField()
    link = s.IntegerField()
    incident = s.CharField()
    number = s.CharField()
    field = s.ChoiceField(FIELDS)
    base = Anything()
    ours = Anything()
    theirs = Anything()
    rule = s.ChoiceField(WINNERS)
    outcome = s.CharField(
        help_text="ours or theirs; empty: nobody has decided, and the field goes in neither direction"
    )
    decided_by = s.CharField(allow_null=True)
    decided_at = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()


@example("Keep ours", {"take": "ours"})
class Verdict(Body):
    """Which side's value stays."""

    take = fields.Words(("ours", "theirs"))


@example("A failure", CHANGE, answer=True)
class TicketChange(s.Serializer[Any]):
    """Something that could not be sent: later changes of the same link wait behind it."""

    id = s.IntegerField()
    link = s.IntegerField()
    incident = s.CharField()
    number = s.CharField()
    instance = s.CharField()
    kind = s.ChoiceField(("create", "fields", "note", "attachment"))
    what = s.CharField(help_text="What is to be done, in words")
    state = s.CharField()
    said = s.CharField(help_text="ServiceNow's own words")
    hint = s.CharField()
    attempts = s.IntegerField()
    due_at = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()


@example("Why", {"reason": "Told them by phone"})
class Reason(Body):
    """Why; it stands on the timeline."""

    reason = Text(max_length=500)


@example("Of one instance", {"instance": "example"})
class Those(Body):
    """Which failures; without any field all that you may work on."""

    incident = fields.Ref(required=False, help_text="INC-42: those of one incident")
    instance = Text(max_length=60, required=False, help_text="Slug: those of one instance")


@example("Of one instance", {"reason": "The instance was rebuilt", "instance": "example"})
class ThoseWithReason(Those):
    """Which failures, and why: it stands on the timeline of each incident."""

    reason = Text(max_length=500)


@example("What became of them", {"done": 12, "left": 1}, answer=True)
class Settled(s.Serializer[Any]):
    """How many."""

    done = s.IntegerField()
    left = s.IntegerField(help_text="Still failed: not yours to work on, or nothing can go on without them")


class Nothing(Body):
    """No fields."""


LINK_PAGE = page_of(TicketLink)
CONFLICT_PAGE = page_of(TicketConflict)
CHANGE_PAGE = page_of(TicketChange)
