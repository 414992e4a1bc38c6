"""What calls of the ServiceNow sync take and answer (servicenow.md 10, rulings 27). Secrets of ServiceNow never come
out; the webhook's own is shown once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Flag, Text, Texts, Whole
from cases.api.shapes import Anything, Objects, page_of
from cases.models import LinkState
from cases.servicenow.mapping import DIRECTIONS, FIELDS, MAPS, WINNERS

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


class Reason(Body):
    """Why; it stands on the timeline."""

    reason = Text(max_length=500)


class Nothing(Body):
    """No fields."""


class Direction(s.Serializer[Any]):
    """One direction of an instance."""

    paused = s.BooleanField()
    last_success = s.DateTimeField(allow_null=True)
    failures = s.IntegerField(help_text="In a row")
    error = s.CharField()
    error_at = s.DateTimeField(allow_null=True)
    resume_at = s.DateTimeField(allow_null=True, required=False, help_text="Held back until then")


class Instance(s.Serializer[Any]):
    """A ServiceNow instance: a connector account with its webhook and its pace."""

    slug = s.CharField()
    connector = s.CharField()
    url = s.CharField()
    enabled = s.BooleanField(help_text="Of the connector")
    webhook = s.CharField(help_text="Where ServiceNow posts to")
    every_seconds = s.IntegerField()
    out = Direction()
    into = Direction(help_text="From ServiceNow")
    read_until = s.DateTimeField(allow_null=True)
    heard_at = s.DateTimeField(allow_null=True, help_text="The last call of the webhook")
    skew_seconds = s.FloatField(help_text="Its clock minus ours")
    findings = Objects(help_text="Of the last test: name, ok, text")
    checked_at = s.DateTimeField(allow_null=True)
    links = s.IntegerField(help_text="That are not ended")
    created_at = s.DateTimeField()


class InstanceMade(Instance):
    """With the secret of its webhook, which is shown this once."""

    webhook_secret = s.CharField()


@example("An instance", {"connector": "ServiceNow", "slug": "example", "every_seconds": 30})
class NewInstance(Body):
    """Of a ServiceNow connector that has none yet."""

    connector = Named()
    slug = Text(max_length=60, required=False, allow_blank=True, help_text="Empty: the first part of the host")
    every_seconds = Whole(required=False)


class InstanceChanges(Body):
    """The pace of the polls."""

    every_seconds = Whole()


class Way(Body):
    """One of the two directions."""

    direction = fields.Words(("out", "in"), help_text="out: to ServiceNow")


class Findings(s.Serializer[Any]):
    """What a test found."""

    findings = Objects(help_text="name, ok (null: could not be told), text")


class _Profile(Body):
    caller = s.JSONField(required=False, help_text='`{"value": sys_id, "label"}`, {} for none')
    assignment_group = s.JSONField(required=False)
    assigned_to = s.JSONField(required=False)
    category = Text(max_length=100, required=False, allow_blank=True)
    short_description = Text(max_length=300, required=False, help_text="May name {{ number }}, {{ title }} and more")
    description = Text(max_length=8000, required=False, allow_blank=True)
    extra = s.JSONField(required=False, help_text="Further ticket fields with templates of their values")
    maps = s.JSONField(required=False, help_text=f"By name: {', '.join(MAPS)}")
    directions = s.JSONField(required=False, help_text=f"By field ({', '.join(FIELDS)}): {', '.join(DIRECTIONS)}")
    winners = s.JSONField(required=False, help_text=f"By field: {', '.join(WINNERS)}")
    note_kinds = Texts(required=False, help_text="Kinds of timeline entries that become notes")
    note_field = Text(max_length=20, required=False, help_text="work_notes, or comments, which callers read")
    send_evidence = Flag(required=False)
    on_repeat = Text(max_length=10, required=False, help_text="On a closed ticket: reopen or new")
    automatic = Flag(required=False, help_text="Incidents that fit the rule get a ticket by themselves")
    severities = Texts(required=False, help_text="The rule: words")
    templates = s.ListField(child=Whole(), required=False, help_text="The rule: ids of incident templates")
    sources = Texts(required=False, help_text="The rule: slugs")
    order = Whole(required=False)


@example("A profile", {"name": "Security", "instance": "example", "table": "incident"})
class NewProfile(_Profile):
    """It is off until it is enabled; what is not given is as it is delivered for the table."""

    name = Text(max_length=100)
    instance = Text(max_length=60, help_text="Slug")
    table = Text(max_length=80, required=False)


class ProfileChanges(_Profile):
    """What is given is changed."""

    name = Text(max_length=100, required=False)


class Profile(s.Serializer[Any]):
    """How incidents become tickets."""

    id = s.IntegerField()
    name = s.CharField()
    instance = s.CharField()
    table = s.CharField()
    enabled = s.BooleanField()
    caller = Anything()
    assignment_group = Anything()
    assigned_to = Anything()
    category = s.CharField()
    short_description = s.CharField()
    description = s.CharField()
    extra = Anything()
    maps = Anything()
    directions = Anything()
    winners = Anything()
    note_kinds = s.ListField(child=s.CharField())
    note_field = s.CharField()
    send_evidence = s.BooleanField()
    on_repeat = s.CharField()
    automatic = s.BooleanField()
    severities = s.ListField(child=s.CharField())
    templates = s.ListField(child=s.IntegerField())
    sources = s.ListField(child=s.CharField())
    order = s.IntegerField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class ProfileEnabled(Profile):
    """With what is not mapped yet and does no harm."""

    gaps = Objects()


LINK_PAGE = page_of(TicketLink)
CONFLICT_PAGE = page_of(TicketConflict)
CHANGE_PAGE = page_of(TicketChange)
INSTANCE_PAGE = page_of(Instance)
PROFILE_PAGE = page_of(Profile)
