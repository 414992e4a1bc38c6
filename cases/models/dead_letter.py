"""Deliveries that could not be read, kept to be looked at, mended for and replayed (ingest-and-api.md 5)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from cases.models.alert import Alert
from cases.models.source import AlertSource


class DeadLetter(models.Model):
    """A delivery, or one item of it, that its source was refused. Only what a sender that showed its token sent.

    ``body`` is what came, before unpacking where ``encoding`` says so; it ends early where ``kept`` is less than
    ``size``, and then it cannot be replayed. ``place`` is the item's number in its list, null for the whole delivery.
    Headers are not kept but for the type and the encoding: they may bear tokens."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="dead_letters", db_index=False)
    received_at = models.DateTimeField(db_default=models.functions.Now())
    address = models.CharField(max_length=45, blank=True, help_text="Of the sender, as the connection has it")
    status = models.PositiveSmallIntegerField(help_text="What the sender was answered: 400 or 413")
    error = models.CharField(max_length=1000)
    place = models.PositiveIntegerField(null=True)
    content_type = models.CharField(max_length=200, blank=True)
    encoding = models.CharField(max_length=40, blank=True, help_text="Content-Encoding: gzip or empty")
    size = models.PositiveBigIntegerField(help_text="Bytes that came, or were announced")
    kept = models.PositiveIntegerField(help_text="Bytes of body")
    body = models.BinaryField()
    tries = models.PositiveIntegerField(default=0, help_text="Replays")
    replayed_at = models.DateTimeField(null=True, help_text="When it could be read; null: it waits")
    replayed_by = models.CharField(max_length=200, blank=True)
    alert = models.ForeignKey(Alert, on_delete=models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=1000, blank=True, help_text="What came of the last replay, in a sentence")

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["source", "-id"], name="dead_letter_source"),
            models.Index(fields=["source", "-id"], name="dead_letter_waits", condition=models.Q(replayed_at=None)),
        ]

    def __str__(self) -> str:
        return f"dead letter {self.pk}"

    @property
    def whole(self) -> bool:
        """Whether all of it was kept, so that it can be replayed."""
        return self.kept == self.size


class ReplayJob(models.Model):
    """Dead letters that a worker replays one after the other, with progress (as BulkJob for alerts)."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        IN_PROGRESS = "in_progress"
        SUCCESSFUL = "successful"
        PARTIALLY_SUCCESSFUL = "partially_successful"
        UNSUCCESSFUL = "unsuccessful"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    scopes = ArrayField(models.CharField(max_length=50), null=True, help_text="Of the token that asked; null: all")
    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    letters = ArrayField(models.BigIntegerField())
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.QUEUED)
    position = models.PositiveIntegerField(default=0, help_text="How many are dealt with")
    done = models.PositiveIntegerField(default=0, help_text="How many of them could be read")
    last_error = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"replay {self.pk} of {len(self.letters)} dead letters"
