"""What the API says of dead letters, for the schema."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields, shapes
from cases.api.fields import Body, Text
from cases.models.dead_letter import ReplayJob

STATES = ("waiting", "read")


class DeadLetterRow(s.Serializer[Any]):
    """A delivery, or one item of it, that could not be read."""

    id = s.IntegerField()
    source = s.CharField(help_text="Slug")  # type: ignore[assignment]
    received_at = s.DateTimeField()
    address = s.CharField(help_text="Of the sender, as the connection has it")
    status = s.IntegerField(help_text="What the sender was answered, or what a replay would be")
    error = s.CharField()
    place = s.IntegerField(allow_null=True, help_text="The item's number in its list; null: the whole delivery")
    content_type = s.CharField()
    encoding = s.CharField(help_text="`gzip` or empty: how the body is packed")
    size = s.IntegerField(help_text="Bytes that came")
    kept = s.IntegerField(help_text="Bytes that are kept; it can be replayed if it is all of them")
    tries = s.IntegerField(help_text="Replays")
    replayed_at = s.DateTimeField(allow_null=True, help_text="When it could be read; null: it waits")
    replayed_by = s.CharField()
    alert = s.CharField(allow_null=True, help_text="Number of the alert that it became")
    outcome = s.CharField()


class DeadLetterDetail(DeadLetterRow):
    """With its bytes."""

    body = s.CharField(help_text="Base64")


class ReplayProgress(s.Serializer[Any]):
    """A replay of many."""

    id = s.IntegerField()
    source = s.CharField(allow_null=True, help_text="Slug; null: all")  # type: ignore[assignment]
    status = fields.Words(ReplayJob.Status.values)
    total = s.IntegerField()
    position = s.IntegerField(help_text="How many are dealt with")
    done = s.IntegerField(help_text="How many of them could be read")
    last_error = s.CharField()
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)


class ReplayMany(Body):
    """Whose dead letters: a source's, or without one all."""

    source = Text(required=False, max_length=60)  # type: ignore[assignment]


DEAD_LETTER_PAGE = shapes.page_of(DeadLetterRow)
