"""What administration takes and gives: people, roles, the audit log, retention, legal holds."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields, shapes
from cases.api.fields import Body, Flag, Text, Texts, Whole


class Count(s.Serializer[Any]):
    """How many things of one sort somebody or a team owns."""

    name = s.CharField()
    count = s.IntegerField()
    more = s.BooleanField(help_text="There are more than were counted")
    movable = s.BooleanField(help_text="They can be handed over")


class Account(shapes.Person):
    """A person, or a program, as those see it who manage people."""

    first_name = s.CharField()
    last_name = s.CharField()
    email = s.CharField()
    active = s.BooleanField()
    service = s.BooleanField(help_text="A program: it has tokens and no password")
    second_factor = s.BooleanField()
    roles = s.ListField(child=s.CharField())
    teams = s.ListField(child=s.CharField())
    last_login = s.DateTimeField(allow_null=True)
    created_at = s.DateTimeField()
    owns = Count(many=True)


class MadeAccount(Account):
    """Somebody just made: the only time the password is shown; "" for a program."""

    password = s.CharField()


class Password(s.Serializer[Any]):
    """A password that was just set: the only time it is shown."""

    username = s.CharField()
    password = s.CharField()


class AccountChanges(Body):
    """What is not named stays. ``roles`` and ``teams`` are all of them, by name."""

    first_name = Text(max_length=150, required=False, allow_blank=True)
    last_name = Text(max_length=150, required=False, allow_blank=True)
    email = Text(max_length=254, required=False, allow_blank=True)
    roles = Texts(required=False, most=100)
    teams = Texts(required=False, most=1000)


class NewAccount(AccountChanges):
    """A person; with ``service`` a program."""

    username = Text(max_length=150)
    service = Flag(required=False)


class HandOver(Body):
    """Who takes it over, by user name."""

    to = Text(max_length=150)


class HandedOver(s.Serializer[Any]):
    """How many of each sort were given."""

    given = s.DictField(child=s.IntegerField())


class TeamDetail(shapes.Team):
    """A team, who is in it and what belongs to it."""

    members = s.ListField(child=s.CharField(), help_text="User names")
    owns = Count(many=True)


class TeamName(Body):
    """A new team."""

    name = Text(max_length=100)


class TeamChanges(Body):
    """``members`` are all of them, by user name."""

    name = Text(max_length=100, required=False)
    members = Texts(required=False, most=1000)


class Role(s.Serializer[Any]):
    """A role and its permissions. Built-in ones stay as they are."""

    id = s.IntegerField()
    name = s.CharField()
    description = s.CharField()
    builtin = s.BooleanField()
    permissions = s.ListField(child=s.CharField())
    people = s.IntegerField(help_text="Active people who have it")
    second_factor = s.BooleanField(help_text="Everybody who has it has to set up a second factor")


class RoleChanges(Body):
    """What is not named stays. Of a built-in role only ``second_factor`` can be changed."""

    name = Text(max_length=100, required=False)
    description = Text(max_length=500, required=False, allow_blank=True)
    permissions = Texts(required=False, most=100)
    second_factor = Flag(required=False)


class NewRole(RoleChanges):
    """A role of one's own."""

    name = Text(max_length=100)


class AuditEntry(s.Serializer[Any]):
    """An entry of the audit log."""

    id = s.IntegerField()
    at = s.DateTimeField()
    actor_id = s.IntegerField(allow_null=True, help_text="null: Soar itself, or a stranger")
    actor = s.CharField()
    via = s.CharField(help_text="Name of the API token that was used")
    verb = s.CharField()
    object = s.CharField()
    data = s.DictField()  # type: ignore[assignment]
    address = s.CharField(allow_null=True)
    request = s.CharField(help_text="Id of the request, as in the log and in X-Request-ID")


class RetentionChanges(Body):
    """What is not named stays."""

    what = Text(max_length=20, required=False, help_text="payloads, alerts, incidents, runs, audit")
    days = Whole(required=False, min_value=1, max_value=36_500)
    severities = s.ListField(child=fields.severity(), required=False, max_length=5, help_text="Empty: all")
    source = Text(  # type: ignore[assignment]
        max_length=100, required=False, allow_null=True, help_text="Slug; null: all"
    )
    enabled = Flag(required=False)


class NewRetentionRule(RetentionChanges):
    """A rule; it is off unless ``enabled`` is true."""

    what = Text(max_length=20, help_text="payloads, alerts, incidents, runs, audit")
    days = Whole(min_value=1, max_value=36_500)


class RetentionRule(s.Serializer[Any]):
    """A rule of retention and how its passes went."""

    id = s.IntegerField()
    what = s.CharField()
    days = s.IntegerField()
    severities = s.ListField(child=s.CharField())
    source = s.CharField(allow_null=True)  # type: ignore[assignment]
    enabled = s.BooleanField()
    deleted = s.IntegerField()
    deleted_now = s.IntegerField(help_text="By the pass under way, or by the last one")
    started_at = s.DateTimeField(allow_null=True)
    finished_at = s.DateTimeField(allow_null=True)
    error = s.CharField()
    changed_by = s.CharField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class RulePreview(s.Serializer[Any]):
    """What a rule would delete at this moment."""

    count = s.IntegerField()
    more = s.BooleanField(help_text="More than were counted")
    held = s.IntegerField(help_text="Incidents on legal hold, which stay")


class HoldReason(Body):
    """Why; it is on the timeline."""

    reason = Text(max_length=1000)


class Hold(s.Serializer[Any]):
    """A legal hold, active while ``lifted_at`` is null."""

    incident = s.CharField()
    reason = s.CharField()
    placed_by = s.CharField()
    placed_at = s.DateTimeField()
    lifted_by = s.CharField()
    lifted_at = s.DateTimeField(allow_null=True)
    lift_reason = s.CharField()


class HoldList(s.Serializer[Any]):
    """All holds of an incident, newest first, in one page."""

    next = s.URLField(allow_null=True)
    previous = s.URLField(allow_null=True)
    results = Hold(many=True)


ROLE_PAGE = shapes.page_of(Role)
AUDIT_PAGE = shapes.page_of(AuditEntry)
RULE_PAGE = shapes.page_of(RetentionRule)
