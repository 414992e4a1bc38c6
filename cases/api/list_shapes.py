"""What the calls on the house's lists, feeds and their tokens take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.api import fields
from cases.api.fields import Body, Flag, Text
from cases.api.shapes import page_of
from soar.connectors.blocklist.values import BLOCKABLE
from soar.connectors.intelligence.actions import EFFECTS


class NewException(Body):
    """A value that nothing may touch: a name with all below it, an address, a network, a hash ..."""

    type = Text(max_length=20)
    value = Text(max_length=2048)
    reason = Text(max_length=500)
    expires_at = s.DateTimeField(required=False, allow_null=True, help_text="null: for good")


class NewOwn(NewException):
    """A value that the house knows to be bad or good."""

    effect = fields.Words(EFFECTS)


class Switch(Body):
    """Whether the list speaks."""

    enabled = Flag()


class NewFeedToken(Body):
    """For the feed of one type."""

    type = fields.Words(BLOCKABLE)
    name = Text(max_length=100)


class ListedException(s.Serializer[Any]):
    """A value that nothing may touch."""

    id = s.IntegerField()
    type = s.CharField()
    value = s.CharField()
    reason = s.CharField()
    added_by = s.CharField()
    added_at = s.DateTimeField()
    expires_at = s.DateTimeField(allow_null=True)


class OwnEntry(ListedException):
    """A value that the house knows to be bad or good."""

    effect = fields.Words(EFFECTS)


class WarningListShape(s.Serializer[Any]):
    """A warning list: values known to be good, or worth knowing."""

    id = s.IntegerField()
    slug = s.CharField()
    name = s.CharField()
    description = s.CharField()
    category = s.CharField()
    type = s.CharField()
    attributes = s.ListField(child=s.CharField())
    effect = s.CharField(help_text="benign or context")
    enabled = s.BooleanField()
    entry_count = s.IntegerField()
    version = s.IntegerField()
    imported_at = s.DateTimeField(allow_null=True)


class FeedFile(s.Serializer[Any]):
    """The last file that was given to the feed."""

    name = s.CharField()
    status = s.CharField(help_text="queued, in_progress, successful or unsuccessful")
    size = s.IntegerField()
    read_bytes = s.IntegerField()
    taken = s.IntegerField()
    skipped = s.IntegerField()
    error = s.CharField()
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)


class Feed(s.Serializer[Any]):
    """A feed: a connector of that kind, and what it brought."""

    id = s.IntegerField(help_text="Id of its connector")
    name = s.CharField()
    enabled = s.BooleanField()
    effect = s.CharField()
    entries = s.IntegerField()
    skipped = s.IntegerField()
    counts = s.DictField(child=s.IntegerField(), help_text="Entries by type")
    importing = s.BooleanField(help_text="An import is queued or under way")
    imported_at = s.DateTimeField(allow_null=True)
    failed_at = s.DateTimeField(allow_null=True)
    last_error = s.CharField()
    file = FeedFile(allow_null=True)


class FeedUpload(s.Serializer[Any]):
    """One file: text, CSV, STIX, MISP; gzip and zip too; at most 64 MiB."""

    file = s.FileField()


class FeedTokenShape(s.Serializer[Any]):
    """A token with which a firewall pulls the block list, without the token itself."""

    id = s.IntegerField()
    type = s.CharField()
    name = s.CharField()
    prefix = s.CharField()
    created_by = s.CharField()
    created_at = s.DateTimeField()
    last_used_at = s.DateTimeField(allow_null=True)
    revoked_at = s.DateTimeField(allow_null=True)


class FeedTokenMade(FeedTokenShape):
    """A token just made: the only time it is shown."""

    token = s.CharField()
    feed_url = s.URLField()


EXCEPTION_PAGE = page_of(ListedException)
OWN_PAGE = page_of(OwnEntry)
WARNING_PAGE = page_of(WarningListShape)
FEED_PAGE = page_of(Feed)
FEED_TOKEN_PAGE = page_of(FeedTokenShape)
