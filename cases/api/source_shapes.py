"""What the calls on sources take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.sources import DAYS_AT_MOST
from cases.api import bodies, fields, shapes
from cases.api.fields import Body, Flag, Text, Texts, Whole
from cases.choices import RepeatRule
from cases.ingest.registry import KINDS

SAMPLE_AT_MOST = 1024 * 1024
WORKS = "How long the token works; null: until it is revoked"
RATES = "Requests a second; null: SOAR_SOURCE_RATE"
SILENCE = "Silent for longer is too long; null: as it is learnt"


class SourceChanges(Body):
    """What can be changed of a source; kind and slug stay. `hmac_secret` never comes back: "" takes it away."""

    name = Text(max_length=100, required=False)
    team = bodies.name()
    default_severity = fields.severity(required=False)
    default_tlp = fields.tlp(required=False)
    default_tags = Texts(required=False, most=50)
    key_fields = Texts(required=False, most=20, help_text="Paths into the payload; none: the kind's own rule")
    repeat_rule = fields.Words(RepeatRule.values, required=False)
    allowed_networks = Texts(required=False, most=100)
    hmac_secret = Text(max_length=500, required=False, allow_blank=True)
    close_on_resolved = Flag(required=False)
    resolved_determination = fields.Words(fields.VERDICT, required=False)
    rate_per_second = Whole(required=False, allow_null=True, min_value=1, max_value=100_000, help_text=RATES)
    silence_warns = Flag(required=False)
    silence_minutes = Whole(required=False, allow_null=True, min_value=1, max_value=129_600, help_text=SILENCE)


class NewSource(SourceChanges):
    """A source; what is left out is as its kind presets it."""

    name = Text(max_length=100)
    kind = fields.Words(sorted(KINDS))
    token_days = Whole(required=False, allow_null=True, min_value=1, max_value=DAYS_AT_MOST, help_text=WORKS)


class Rotate(Body):
    """For so many hours the tokens that work now go on working; 0: not at all."""

    overlap_hours = Whole(required=False, min_value=0, max_value=720)
    days = Whole(required=False, allow_null=True, min_value=1, max_value=DAYS_AT_MOST, help_text=WORKS)


class KeyFields(Body):
    """Paths into the payload; none: the kind's own rule."""

    key_fields = Texts(most=20)


class Sample(Body):
    """A delivery as text."""

    payload = Text(max_length=SAMPLE_AT_MOST)


class NewSample(Body):
    """A payload that mappings are tried on."""

    name = Text(max_length=100)
    payload = Text(max_length=SAMPLE_AT_MOST)


class RestoreMapping(Body):
    """The version to go back to. Without `anyway`, one that does not fit the kept samples is refused (409)."""

    version = Whole(min_value=1)
    anyway = Flag(required=False)


class SourceToken(s.Serializer[Any]):
    """A token of a source, without the token itself."""

    id = s.IntegerField()
    prefix = s.CharField()
    created_at = s.DateTimeField()
    expires_at = s.DateTimeField(allow_null=True)
    revoked_at = s.DateTimeField(allow_null=True)


class SourceMade(shapes.Source):
    """A source and its token: the only time it is shown."""

    token = s.CharField()


class KeyGroup(s.Serializer[Any]):
    """Alerts that would have been one."""

    key = s.CharField()
    count = s.IntegerField()
    title = s.CharField()
    numbers = s.ListField(child=s.CharField(), help_text="Some of them")


class KeyPreview(s.Serializer[Any]):
    """What another rule for the key would have made of the newest alerts."""

    read = s.IntegerField()
    after = s.IntegerField(help_text="How many alerts they would have been")
    split = s.IntegerField(help_text="Whose repeats would have been alerts of their own")
    unreadable = s.IntegerField()
    all = s.BooleanField(help_text="No older alert is left")
    merged = KeyGroup(many=True, help_text="The largest")


class SampleItem(s.Serializer[Any]):
    """What became of an item of the sample."""

    status = s.IntegerField()
    id = s.IntegerField(required=False, allow_null=True)
    number = s.CharField(required=False)
    created = s.BooleanField(required=False)
    count = s.IntegerField(required=False)
    note = s.CharField(required=False)
    detail = s.CharField(required=False)


class Sampled(s.Serializer[Any]):
    """What became of each item, in order."""

    results = SampleItem(many=True)


class KeptSample(s.Serializer[Any]):
    """A payload kept with the source."""

    id = s.IntegerField()
    name = s.CharField()
    payload = s.CharField()
    made_by = s.CharField()
    made_at = s.DateTimeField()


class MappingVersion(s.Serializer[Any]):
    """A version of the mapping; none is ever changed."""

    version = s.IntegerField()
    mapping = shapes.Anything()
    made_by = s.CharField()
    made_at = s.DateTimeField()
    restored_from = s.IntegerField(allow_null=True)
    misfits = s.IntegerField()


TOKEN_PAGE = shapes.page_of(SourceToken)
SAMPLE_PAGE = shapes.page_of(KeptSample)
VERSION_PAGE = shapes.page_of(MappingVersion)
