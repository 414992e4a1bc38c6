"""What calls for notifications take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.notifications import IDS_AT_MOST, STATES
from cases.api.fields import Body, Flag, Text, Whole, Words
from cases.api.shapes import page_of
from cases.notifications.reasons import MODES, REASONS
from soar.connectors.personal import HANDLE, OWN_KINDS, WEBHOOK

WHY = tuple(REASONS)
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


class MarkNotifications(Body):
    """Which ones: `ids`, or all up to `up_to`."""

    ids = s.ListField(
        child=Whole(min_value=1, max_value=2**63 - 1), max_length=IDS_AT_MOST, required=False, help_text="Of your own"
    )
    up_to = Whole(min_value=1, max_value=2**63 - 1, required=False, help_text="All up to this id")


class MarkUnread(Body):
    """Which ones."""

    ids = s.ListField(child=Whole(min_value=1, max_value=2**63 - 1), max_length=IDS_AT_MOST, min_length=1)


class Marked(s.Serializer[Any]):
    """How many were changed."""

    changed = s.IntegerField()


class NotificationRow(s.Serializer[Any]):
    """A line of the caller's inbox."""

    id = s.IntegerField()
    url = s.URLField(help_text="Leads to what it is about, and marks it as read")
    reason = s.CharField(help_text=", ".join(WHY))
    kind = s.CharField(help_text="Of the timeline entry; `task.due` for a task that is due")
    number = s.CharField(allow_null=True, help_text="The alert or incident; null for many alerts")
    title = s.CharField(help_text="Of the alert or incident, or how many alerts")
    count = s.IntegerField(help_text="How many alerts it stands for, as far as you see them; at most 1001")
    entry = s.IntegerField(allow_null=True, help_text="Id of the timeline entry")
    actor = s.CharField()
    text = s.CharField(help_text="Who did what, in a sentence")
    excerpt = s.CharField(help_text="The beginning of a note")
    created_at = s.DateTimeField()
    at = s.DateTimeField(help_text="When the last was added")
    read_at = s.DateTimeField(allow_null=True)


class WhereTold(Body):
    """Where a reason is told."""

    inbox = Flag(required=False)
    email = Words(MODES, required=False)
    chat = Words(MODES, required=False)


_ROWS = {name: WhereTold(required=False) for name in WHY}
Choices: Any = type("NotificationChoices", (Body,), {**_ROWS, "__doc__": "Where each reason is told.",
                                                     "__module__": __name__})  # fmt: skip


def _clock() -> s.RegexField:
    return s.RegexField(CLOCK, required=False, allow_null=True, help_text="HH:MM of your time zone")


class NotificationSettingsChanges(Body):
    """What can be changed."""

    choices = Choices(required=False)
    digest_hour = Whole(min_value=0, max_value=23, required=False, help_text="Of your time zone")
    workdays_only = Flag(required=False, help_text="Daily messages on working days alone")
    quiet_from = _clock()
    quiet_until = _clock()
    paused_until = s.DateTimeField(required=False, allow_null=True, help_text="Nothing is sent before")
    chat_way = Words(("", HANDLE, WEBHOOK), required=False, help_text="handle: by a Mattermost connector")
    chat_account = Whole(min_value=1, max_value=2**63 - 1, required=False, allow_null=True, help_text="The connector")
    chat_handle = Text(max_length=65, required=False, allow_blank=True)
    chat_kind = Words(("", *OWN_KINDS), required=False, help_text="Of your own webhook")
    chat_url = Text(max_length=2000, required=False, allow_blank=True, write_only=True, help_text="Kept encrypted")


class TellingWays(s.Serializer[Any]):
    """Where a reason is told."""

    inbox = s.BooleanField()
    email = s.CharField()
    chat = s.CharField()


class NotificationSettingsShape(s.Serializer[Any]):
    """What you are told of, where and when."""

    choices = s.DictField(child=TellingWays(), help_text="By reason")
    digest_hour = s.IntegerField()
    workdays_only = s.BooleanField()
    quiet_from = s.CharField(allow_null=True)
    quiet_until = s.CharField(allow_null=True)
    paused_until = s.DateTimeField(allow_null=True)
    chat_way = s.CharField()
    chat_account = s.IntegerField(allow_null=True)
    chat_handle = s.CharField()
    chat_kind = s.CharField()
    has_chat_url = s.BooleanField()
    version = s.IntegerField()


class SetWatch(Body):
    """What you want to hear of it."""

    state = Words(STATES, help_text="follow: incidents only; none: as usual")
    until = s.DateTimeField(required=False, allow_null=True, help_text="Of a mute; without it, for good")


class WatchShape(s.Serializer[Any]):
    """What you hear of it."""

    number = s.CharField()
    state = s.CharField(help_text=", ".join(STATES))
    until = s.DateTimeField(allow_null=True)


NOTIFICATION_PAGE = page_of(NotificationRow)
