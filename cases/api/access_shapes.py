"""What the API takes and gives of grants, and of who sees something."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api.fields import Body, Ref, Text
from cases.api.shapes import JOB_STATUS, page_of
from soar.accounts.models.grant import REASON_AT_MOST

LEVEL = (
    "incident: view, comment, edit, close, delete, manage; playbook: view, run, edit, manage; "
    "source: view, manage; connector: use, manage"
)
UNTIL = "From then on it counts for nothing; null: no end"


class GrantChanges(Body):
    """Another level, end or reason."""

    level = Text(max_length=20, required=False, help_text=LEVEL)
    expires_at = s.DateTimeField(required=False, allow_null=True, help_text=UNTIL)
    reason = Text(max_length=REASON_AT_MOST, required=False, allow_blank=True)


class NewGrant(Body):
    """A level for a person or a group; whoever has a grant already has this one afterwards."""

    user = Text(max_length=150, required=False, help_text="A user name")
    group = Text(max_length=150, required=False, help_text="Name of a team or role; one of the two")
    level = Text(max_length=20, help_text=LEVEL)
    expires_at = s.DateTimeField(required=False, allow_null=True, help_text=UNTIL)
    reason = Text(max_length=REASON_AT_MOST, required=False, allow_blank=True)


class CopyFrom(Body):
    """Where grants are copied from."""

    source = Text(max_length=60, help_text="Id, number or slug of another thing of the kind")  # type: ignore[assignment]


class NewGrants(NewGrant):
    """One grant on many things."""

    ids = s.ListField(child=Ref(), required=False, min_length=1, max_length=10_000)
    filter = s.DictField(
        child=Text(max_length=500),
        required=False,
        allow_empty=False,
        help_text="The filters of the list of incidents; for incidents alone",
    )


class GrantJob(s.Serializer[Any]):
    """How a grant on many things goes on."""

    id = s.IntegerField()
    kind = s.CharField(help_text="incident, source, playbook, connector")
    user = s.CharField(allow_null=True)
    group = s.CharField(allow_null=True)
    level = s.CharField()
    expires_at = s.DateTimeField(allow_null=True)
    status = s.ChoiceField(JOB_STATUS)
    total = s.IntegerField()
    position = s.IntegerField(help_text="How many are dealt with")
    done = s.IntegerField()
    same = s.IntegerField(help_text="Where they had this or more already")
    refused_count = s.IntegerField()
    refused = s.ListField(child=s.DictField(), help_text="[{thing, message}], the first thousand")
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)


class BreakGlass(Body):
    """Why."""

    reason = Text(max_length=REASON_AT_MOST)


class Grant(s.Serializer[Any]):
    """What a person or group was given on this one thing."""

    id = s.CharField(help_text="`user-7` or `group-3`; stays the same whatever the level")
    user = s.CharField(allow_null=True, help_text="User name; null for a group")
    group = s.CharField(allow_null=True, help_text="Name of a team or role; null for a person")
    name = s.CharField()
    level = s.CharField(help_text=LEVEL)
    expires_at = s.DateTimeField(allow_null=True)
    granted_by = s.CharField(help_text="A name; empty: Soar itself, or somebody who is gone")
    granted_at = s.DateTimeField(allow_null=True)
    reason = s.CharField()
    rule = s.CharField(help_text="owner, restriction, glass: given by this rule; empty: by hand")


class GrantList(s.Serializer[Any]):
    """All grants on the thing that count now, people first."""

    next = s.URLField(allow_null=True, help_text="Always null: the list is whole")
    previous = s.URLField(allow_null=True)
    results = Grant(many=True)


class Why(s.Serializer[Any]):
    """One reason why somebody sees it."""

    type = s.CharField(help_text="role, team, everybody, owner, grant")
    text = s.CharField()
    detail = s.CharField()
    level = s.CharField()
    grant = s.CharField(allow_null=True, help_text="Id of the grant")
    expires_at = s.DateTimeField(allow_null=True)


class Reader(s.Serializer[Any]):
    """Somebody who sees it, and why."""

    user = s.CharField()
    name = s.CharField()
    level = s.CharField(help_text="What all reasons together give; empty: nothing")
    why = Why(many=True)
    hindrance = s.CharField(help_text="disabled, role: why a grant gives nothing; empty: it does")


class HeldBack(s.Serializer[Any]):
    """Whom the restriction keeps out."""

    text = s.CharField()
    detail = s.CharField()
    people = s.IntegerField()


class ReaderPage(page_of(Reader)):  # type: ignore[misc]
    """Everybody who sees it, those with a grant of their own first."""

    total = s.IntegerField(help_text="People in all")
    restricted = s.BooleanField(help_text="Roles and teams give nothing")
    may_manage = s.BooleanField(help_text="Whether you may change it")
    held_back = HeldBack(many=True, help_text="Ways that the restriction closes, with their people")
