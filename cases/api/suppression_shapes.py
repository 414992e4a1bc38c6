"""What calls for suppression rules take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.suppression_fields import REASON_AT_MOST
from cases.api import fields
from cases.api.fields import Body, Flag, Text, Whole
from cases.api.shapes import page_of
from cases.ingest.conditions import VALUE_AT_MOST, VALUES_AT_MOST
from cases.suppression_preview import DAYS

STATES = ("in_force", "over")


def _values(help_text: str) -> s.ListField:
    return s.ListField(
        child=Text(max_length=VALUE_AT_MOST), max_length=VALUES_AT_MOST, required=False, help_text=help_text
    )


class Conditions(Body):
    """What an alert must be to be held back: all names that are given must fit, of one name any value. Besides the
    severity at least one is needed."""

    source = _values("Slugs of sources")  # type: ignore[assignment]
    model = _values("Detection models; a star at the end stands for any ending")
    host = _values("Names of hosts; a star at the end stands for any ending")
    user = _values("Names of users; a star at the end stands for any ending")
    ip = _values("Source addresses or networks")
    tag = _values("Tags")
    observable = _values("Values of observables")
    title = _values("What the title contains, taken as it stands")
    severity = fields.severity(required=False, help_text="At most this severe")


def _team() -> Text:
    words = "Name of the team whose alerts are meant; null: alerts of no team"
    return Text(max_length=100, required=False, allow_null=True, help_text=words)


class NewRule(Body):
    """A rule that is in force at once."""

    name = Text(max_length=100)
    reason = Text(max_length=REASON_AT_MOST, help_text="Stands on the timeline of each alert that is held back")
    expires_at = s.DateTimeField(help_text="At most SOAR_SUPPRESSION_DAYS days from now")
    conditions = Conditions()
    team = _team()
    all_teams = Flag(required=False, help_text="Every team's alerts; for those who manage sources")
    enabled = Flag(required=False)
    hold_open = Flag(required=False, help_text="Take what waits in the queue, new and nobody's, out of it too")


class RuleChanges(Body):
    """What can be changed of a rule that has not ended. What it holds back stays held back."""

    name = Text(max_length=100, required=False)
    reason = Text(max_length=REASON_AT_MOST, required=False)
    expires_at = s.DateTimeField(required=False)
    conditions = Conditions(required=False)
    team = _team()
    all_teams = Flag(required=False)
    enabled = Flag(required=False)


class EndRule(Body):
    """How a rule ends."""

    release = Flag(required=False, help_text="Put what it holds back into the queue")


class AskPreview(Body):
    """A rule that is not there yet, or `cursor` to go on with the same one."""

    conditions = Conditions()
    team = _team()
    all_teams = Flag(required=False)
    days = Whole(required=False, min_value=min(DAYS), max_value=max(DAYS), help_text="7 or 30")
    cursor = Text(max_length=500, required=False, allow_blank=True)


class Rule(s.Serializer[Any]):
    """A suppression rule."""

    id = s.IntegerField()
    url = s.URLField()
    name = s.CharField()
    reason = s.CharField()
    conditions = s.DictField()
    team = s.CharField(allow_null=True)
    all_teams = s.BooleanField()
    enabled = s.BooleanField()
    in_force = s.BooleanField()
    trouble = s.CharField(help_text="Why it can hold back nothing; empty if it can")
    expires_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)
    ended_by = s.CharField()
    held = s.IntegerField(help_text="Alerts that it held back")
    repeats = s.IntegerField(help_text="Repeats that met it")
    last_hit_at = s.DateTimeField(allow_null=True)
    releasing = s.BooleanField(help_text="What it held back is being put into the queue")
    created_by = s.CharField(allow_null=True, help_text="User name")
    changed_by = s.CharField()
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class Example(s.Serializer[Any]):
    """An alert that it would have held back."""

    number = s.CharField()
    title = s.CharField()
    severity = fields.severity()
    received_at = s.DateTimeField()


class PreviewShape(s.Serializer[Any]):
    """What is known after about a second of reading. Unless `complete`, ask again with `cursor`."""

    days = s.IntegerField()
    complete = s.BooleanField()
    percent = s.IntegerField()
    read = s.IntegerField(help_text="Alerts looked at, of those that you may see")
    held = s.IntegerField(help_text="How many of them it would have held back")
    severe = s.IntegerField(help_text="How many of those are high or critical")
    malicious = s.IntegerField(help_text="How many of those turned out malicious")
    examples = Example(many=True)
    cursor = s.CharField(allow_null=True)


RULE_PAGE = page_of(Rule)
