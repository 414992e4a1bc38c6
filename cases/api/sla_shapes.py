"""What the calls about targets take and give."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers as s

from cases.api.fields import Body, Text, Texts, Whole
from cases.sla.policy import CLOCKS, DAYS, GOALS, HOLIDAYS_AT_MOST, MINUTES_AT_MOST, PERIODS_AT_MOST, SHIPPED
from cases.sla.states import STATES

_MINUTES = {"type": ["integer", "null"], "minimum": 1, "maximum": MINUTES_AT_MOST}
_GOALS = {
    "type": "object",
    "properties": {**dict.fromkeys(GOALS, _MINUTES), "always": {"type": "boolean"}},
    "additionalProperties": False,
}
_PERIOD = {
    "type": "object",
    "properties": {
        "days": {"type": "array", "items": {"enum": list(DAYS)}, "minItems": 1},
        "from": {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"},
        "to": {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"},
    },
    "required": ["days", "from", "to"],
    "additionalProperties": False,
}
_SEVERITIES = tuple(SHIPPED.targets)


@extend_schema_field(
    {"type": "object", "properties": dict.fromkeys(_SEVERITIES, _GOALS), "additionalProperties": False}
)
class Targets(s.JSONField):
    """Severity -> minutes by goal, and ``always``; the action reads what is inside."""


@extend_schema_field({"type": "array", "items": _PERIOD, "maxItems": PERIODS_AT_MOST})
class Hours(s.JSONField):
    """Periods; the action reads what is inside."""


_EXAMPLE = {**SHIPPED.document(), "version": 1, "changed_by": "", "updated_at": None}


@extend_schema_serializer(examples=[OpenApiExample("As shipped", _EXAMPLE, response_only=True)])
class SlaPolicy(s.Serializer[Any]):
    """When things are due. `always`: the clocks of that severity run around the clock, not in `hours`."""

    targets = Targets(help_text="Minutes by severity: triage of alerts; acknowledge, contain, resolve of incidents")
    hours = Hours(help_text="Working hours in `time_zone`; an end before the beginning is on the next day")
    time_zone = s.CharField()
    holidays = s.ListField(child=s.CharField(), help_text="Dates on which no shift begins")
    warn_percent = s.IntegerField(help_text="After how much of a target it is at risk")
    version = s.IntegerField()
    changed_by = s.CharField()
    updated_at = s.DateTimeField(allow_null=True)


class SlaPolicyChanges(Body):
    """What is not named stays; of `targets` the severities and goals that are not named as well."""

    targets = Targets(required=False)
    hours = Hours(required=False)
    time_zone = Text(max_length=60, required=False)
    holidays = Texts(required=False, most=HOLIDAYS_AT_MOST)
    warn_percent = Whole(min_value=1, max_value=99, required=False)


class PauseReason(Body):
    """Why the clocks stand still."""

    reason = Text(max_length=1000)


class ResumeReason(Body):
    """What was waited for has come, or not."""

    reason = Text(max_length=1000, required=False, allow_blank=True)


class Clock(s.Serializer[Any]):
    """One run of a clock of an incident; a reopening begins another round."""

    name = s.ChoiceField(CLOCKS)
    round = s.IntegerField()
    started_at = s.DateTimeField()
    target = s.IntegerField(allow_null=True, help_text="Minutes; null: no target")
    warn_at = s.DateTimeField(allow_null=True, help_text="When it is at risk; null also while a pause hides it")
    due_at = s.DateTimeField(allow_null=True)
    stopped_at = s.DateTimeField(allow_null=True)
    seconds = s.FloatField(allow_null=True, help_text="Working time that it took; null: it runs, or nobody did it")
    missed = s.BooleanField(help_text="It stopped too late")


class Pause(s.Serializer[Any]):
    """A time in which the clocks stood still."""

    started_at = s.DateTimeField()
    ended_at = s.DateTimeField(allow_null=True)
    reason = s.CharField()
    paused_by = s.CharField()
    resumed_by = s.CharField()


class Clocks(s.Serializer[Any]):
    """The clocks of an incident with their pauses, the oldest first."""

    state = s.ChoiceField(STATES)
    due_at = s.DateTimeField(allow_null=True)
    paused_at = s.DateTimeField(allow_null=True)
    missed = s.BooleanField()
    clocks = Clock(many=True)
    pauses = Pause(many=True)


class Figure(s.Serializer[Any]):
    """Of the clocks that stopped in the period; times in seconds, null without any."""

    count = s.IntegerField(help_text="Clocks that stopped: a round each, after a reopening another")
    mean = s.FloatField(allow_null=True)
    median = s.FloatField(allow_null=True)
    longest = s.FloatField(allow_null=True)
    met = s.IntegerField()
    missed = s.IntegerField()
    incidents = s.IntegerField(help_text="Of so many incidents; `mtta`, `mttc` and `mttr` of the list find them")


class Figures(s.Serializer[Any]):
    """MTTA, MTTC and MTTR are the means."""

    since = s.DateTimeField()
    until = s.DateTimeField()
    acknowledge = Figure()
    contain = Figure()
    resolve = Figure()
