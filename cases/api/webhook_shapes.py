"""What calls for outgoing webhooks take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.webhooks import OVERLAP_AT_MOST
from cases.api import fields
from cases.api.fields import TLP, Body, Flag, Text, Whole, Words
from cases.api.shapes import page_of
from cases.models import DeliveryState
from soar.lib.tls import LONGEST

STATES = tuple(DeliveryState.values)
KINDS = "Kinds of timeline entries, `group:notes`, `group:changes`, `group:playbooks`, `group:servicenow`, or `all`"


def _kinds(required: bool) -> s.ListField:
    return s.ListField(child=Text(max_length=60), max_length=200, required=required, help_text=KINDS)


class WebhookChanges(Body):
    """What can be changed. Whoever does is the owner from then on: it is sent what that account may see."""

    name = Text(max_length=100, required=False)
    url = Text(max_length=2000, required=False, write_only=True, help_text="Kept encrypted; answers have `place`")
    kinds = _kinds(required=False)
    team = Text(max_length=100, required=False, allow_null=True, help_text="Only of this team; null: of any")
    source = Text(  # type: ignore[assignment]
        max_length=60, required=False, allow_null=True, help_text="Only alerts of this source, by its slug"
    )
    least_severity = fields.severity(required=False, allow_null=True)
    cleared = Words(TLP, required=False, help_text="TLP up to which it is sent things; amber if not given")
    allow_internal = Flag(required=False, help_text="Its address may be an internal one")
    ca = Text(
        max_length=LONGEST,
        required=False,
        allow_blank=True,
        help_text="Certificates (PEM) of who alone may vouch for its host; empty: the public authorities",
    )
    enabled = Flag(required=False)


class NewWebhook(WebhookChanges):
    """A webhook that is sent what happens from now on."""

    name = Text(max_length=100)
    url = Text(max_length=2000, write_only=True, help_text="Kept encrypted; answers have `place`")
    kinds = _kinds(required=True)


class RotateWebhook(Body):
    """How the secret is replaced."""

    overlap_hours = Whole(
        required=False, min_value=0, max_value=OVERLAP_AT_MOST, help_text="In which the old one signs too; 24"
    )


class ReplayFailed(Body):
    """Which of those that failed are sent again."""

    since = s.DateTimeField(required=False, help_text="Made then or later; all, if not given")


class Webhook(s.Serializer[Any]):
    """An endpoint of outgoing webhooks. Neither its address nor its secret is told."""

    id = s.IntegerField()
    url = s.URLField(help_text="Its page")
    name = s.CharField()
    place = s.CharField(help_text="Scheme, host and port of its address")
    kinds = s.ListField(child=s.CharField(), help_text=KINDS)
    team = s.CharField(allow_null=True)
    source = s.CharField(allow_null=True)  # type: ignore[assignment]
    least_severity = fields.severity(allow_null=True)
    cleared = s.CharField()
    allow_internal = s.BooleanField()
    ca = s.CharField()
    enabled = s.BooleanField()
    off_reason = s.CharField(help_text="Why Soar itself switched it off")
    owner = s.CharField(help_text="User name of whose sight bounds what it is sent")
    failures = s.IntegerField(help_text="In a row")
    failing_since = s.DateTimeField(allow_null=True)
    last_ok_at = s.DateTimeField(allow_null=True)
    last_failed_at = s.DateTimeField(allow_null=True)
    last_error = s.CharField()
    old_secret_until = s.DateTimeField(allow_null=True, help_text="Until then the old secret signs too")
    created_at = s.DateTimeField()
    updated_at = s.DateTimeField()
    version = s.IntegerField()


class WebhookWithSecret(Webhook):
    """With its secret, which is told this once."""

    secret = s.CharField()


class WebhookCall(s.Serializer[Any]):
    """One call."""

    at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True, help_text="null: under way, or its worker was stopped")
    status = s.IntegerField(allow_null=True)
    milliseconds = s.IntegerField(allow_null=True)
    error = s.CharField()


class WebhookDeliveryRow(s.Serializer[Any]):
    """One entry for one webhook."""

    id = s.IntegerField()
    url = s.URLField(help_text="Its page")
    webhook_id = s.CharField(help_text="The header of each try and replay")
    kind = s.CharField()
    number = s.CharField(allow_null=True, help_text="The alert or incident; null for a test")
    entry = s.IntegerField(allow_null=True, help_text="Id of the timeline entry")
    state = s.CharField(help_text=", ".join(STATES))
    attempts = s.IntegerField(help_text="Since it was made or replayed")
    said = s.CharField(help_text="What came of the last try")
    due_at = s.DateTimeField(allow_null=True, help_text="Of the next try")
    created_at = s.DateTimeField()
    finished_at = s.DateTimeField(allow_null=True)


class WebhookDeliveryDetail(WebhookDeliveryRow):
    """With its calls, the newest first, and the body for the webhook's owner."""

    calls = WebhookCall(many=True)
    body = s.CharField(help_text="What is sent; empty for others than the owner")


class Replayed(s.Serializer[Any]):
    """How many are being sent again."""

    replayed = s.IntegerField()


WEBHOOK_PAGE = page_of(Webhook)
DELIVERY_PAGE = page_of(WebhookDeliveryRow)
