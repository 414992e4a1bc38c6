"""What calls that set ServiceNow up take and answer (servicenow.md 1, 2, 10, rulings 27). Secrets of ServiceNow never
come out; the webhook's own is shown once."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Flag, Text, Texts, Whole
from cases.api.servicenow_shapes import Named, example
from cases.api.shapes import Anything, Objects, page_of
from cases.servicenow.mapping import DIRECTIONS, FIELDS, MAPS, WINNERS, defaults

AT = "2026-03-04T12:00:00Z"
GROUP = {"value": "287ebd7da9fe198100f92cc8d1d2154e", "label": "Security Operations"}
DIRECTION = {"paused": False, "last_success": AT, "failures": 0, "error": "", "error_at": None}
INSTANCE = {
    "slug": "example",
    "connector": "ServiceNow",
    "url": "https://example.service-now.com",
    "enabled": True,
    "webhook": "https://soar.example.com/api/v1/servicenow/example/events/",
    "every_seconds": 30,
    "out": {**DIRECTION, "resume_at": None},
    "into": DIRECTION,
    "read_until": AT,
    "heard_at": AT,
    "skew_seconds": 0.4,
    "findings": [{"name": "credentials", "ok": True, "text": "Signed in as soar.integration."}],
    "checked_at": AT,
    "links": 12,
    "created_at": AT,
    "version": 3,
}
PROFILE = {
    "id": 2,
    "name": "Security",
    "instance": "example",
    "table": "incident",
    "enabled": False,
    "caller": {},
    "assignment_group": GROUP,
    "assigned_to": {},
    "category": "",
    **defaults("incident"),
    "severities": ["critical", "high"],
    "templates": [],
    "sources": [],
    "order": 1,
    "created_at": AT,
    "updated_at": AT,
    "version": 1,
}
GAP = {"map": "user", "value": "m.lindqvist", "label": "Mara Lindqvist", "text": "Mara Lindqvist is nobody there"}
PLANNED = {
    "incident": "INC-42",
    "request": {
        "method": "POST",
        "url": "https://example.service-now.com/api/now/table/incident",
        "headers": {"Content-Type": "application/json"},
        "body": {"short_description": "INC-42 Ransomware on FIN-WS-07", "impact": "1", "urgency": "1", "state": "1"},
    },
    "left_out": ["Mara Lindqvist has no counterpart in assigned_to"],
    "ticket": None,
}


class Direction(s.Serializer[Any]):
    """One direction of an instance."""

    paused = s.BooleanField()
    last_success = s.DateTimeField(allow_null=True)
    failures = s.IntegerField(help_text="In a row")
    error = s.CharField()
    error_at = s.DateTimeField(allow_null=True)
    resume_at = s.DateTimeField(allow_null=True, required=False, help_text="Held back until then")


@example("An instance", INSTANCE, answer=True)
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
    version = s.IntegerField(help_text="Of what people set")


@example("With its secret", {**INSTANCE, "webhook_secret": "7mXk…, shown this once"}, answer=True)
class InstanceMade(Instance):
    """With the secret of its webhook, which is shown this once."""

    webhook_secret = s.CharField()


@example("An instance", {"connector": "ServiceNow", "slug": "example", "every_seconds": 30})
class NewInstance(Body):
    """Of a ServiceNow connector that has none yet."""

    connector = Named()
    slug = Text(max_length=60, required=False, allow_blank=True, help_text="Empty: the first part of the host")
    every_seconds = Whole(required=False)


@example("Another pace", {"every_seconds": 60})
class InstanceChanges(Body):
    """The pace of the polls."""

    every_seconds = Whole()


@example("To ServiceNow", {"direction": "out"})
class Way(Body):
    """One of the two directions."""

    direction = fields.Words(("out", "in"), help_text="out: to ServiceNow")


@example("What was found", {"findings": INSTANCE["findings"]}, answer=True)
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


@example("Ask on conflicts of the severity", {"winners": {"severity": "ask"}})
class ProfileChanges(_Profile):
    """What is given is changed."""

    name = Text(max_length=100, required=False)


@example("Like this one, for security incidents", {"name": "Security incidents", "table": "sn_si_incident"})
class ProfileCopy(Body):
    """What the copy does not share; what is not given is as in the original."""

    name = Text(max_length=100)
    instance = Text(max_length=60, required=False, help_text="Slug")
    table = Text(max_length=80, required=False)


@example("An incident", {"incident": "INC-42"})
class DryRun(Body):
    """The incident to try the profile with."""

    incident = fields.Ref()


@example("A request that was not sent", PLANNED, answer=True)
class Planned(s.Serializer[Any]):
    """What would make the ticket. Nothing was sent."""

    incident = s.CharField()
    request = Anything(help_text="method, url, headers, body: without what signs in")
    left_out = s.ListField(child=s.CharField(), help_text="Values without a counterpart, in words")
    ticket = s.CharField(
        allow_null=True, help_text="The incident has this ticket on the table already; empty while it is being made"
    )


@example("A profile", PROFILE, answer=True)
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


@example("Enabled", {**PROFILE, "enabled": True, "gaps": [GAP]}, answer=True)
class ProfileEnabled(Profile):
    """With what is not mapped yet and does no harm."""

    gaps = Objects()


INSTANCE_PAGE = page_of(Instance)
PROFILE_PAGE = page_of(Profile)
