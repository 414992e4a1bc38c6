"""Outgoing webhooks: where timeline entries are sent to, and what was sent (ingest-and-api.md 15)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_noop as _

from cases.choices import Severity, Tlp
from cases.models.alert import Alert
from cases.models.incident import Incident
from cases.models.source import AlertSource
from soar.accounts.models import Team
from soar.lib.crypto import EncryptedTextField


class WebhookEndpoint(models.Model):
    """A receiver of timeline entries. It is sent what its owner may see: who saved it last.

    The address is kept encrypted, since those of many products are secrets; ``place`` is what is shown of it. While a
    secret is being replaced, until ``old_until``, both sign. ``failures`` counts calls in a row; ``resume_at``: nothing
    is sent before."""

    name = models.CharField(max_length=100)
    url = EncryptedTextField()
    place = models.CharField(max_length=300, help_text="Scheme, host and port of the address")
    secret = EncryptedTextField()
    old_secret = EncryptedTextField(blank=True, default="")
    old_until = models.DateTimeField(null=True)
    kinds = ArrayField(models.CharField(max_length=60), help_text="Kinds, group:<name>, or all")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, null=True, related_name="+")
    least_severity = models.SmallIntegerField(choices=Severity.choices, null=True)
    cleared = models.CharField(max_length=12, choices=Tlp.choices, default=Tlp.AMBER, help_text="TLP up to this")
    allow_internal = models.BooleanField(default=False)
    ca = models.TextField(
        blank=True, default="", db_default="", help_text="Certificates (PEM) of who vouches for its host"
    )
    enabled = models.BooleanField(default=True)
    off_reason = models.TextField(blank=True, help_text="Why Soar itself switched it off")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_ok_at = models.DateTimeField(null=True)
    last_failed_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    last_ms = models.PositiveIntegerField(default=0, help_text="How long its last call took")
    resume_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["name", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class DeliveryState(models.TextChoices):
    """``failed`` and ``withheld`` are over until somebody replays them."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    WITHHELD = "withheld", _("Withheld")


OPEN_DELIVERIES = (DeliveryState.WAITING, DeliveryState.SENDING)


class WebhookDelivery(models.Model):
    """One entry for one endpoint. ``event`` is the ``webhook-id`` of every try and every replay, ``body`` what is sent
    each time, byte for byte. ``entry`` is the id of the timeline entry, 0 for a test."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    entry = models.BigIntegerField(default=0)
    event = models.CharField(max_length=60)
    kind = models.CharField(max_length=40)
    body = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(default=0, help_text="Since it was made or replayed")
    said = models.TextField(blank=True, help_text="What came of the last try, in a sentence")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "entry"], name="webhook_entry_once", condition=~models.Q(entry=0)
            )
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["endpoint", "due_at"],
                name="webhook_delivery_open",
                condition=models.Q(state__in=OPEN_DELIVERIES),
            ),
            models.Index(fields=["alert"], name="webhook_delivery_alert", condition=models.Q(alert__isnull=False)),
            models.Index(
                fields=["incident"], name="webhook_delivery_incident", condition=models.Q(incident__isnull=False)
            ),
            models.Index(fields=["finished_at"], name="webhook_delivery_over"),
        ]

    def __str__(self) -> str:
        return self.event


class WebhookAttempt(models.Model):
    """One call. The row is there before the call is made: without ``finished_at`` its worker was stopped meanwhile."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    status = models.PositiveSmallIntegerField(null=True, help_text="Of the answer, if there was one")
    milliseconds = models.PositiveIntegerField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return f"call {self.pk} of {self.delivery_id}"
