"""What providers answered, and the feeds that were imported (connectors.md 4)."""

from __future__ import annotations

from django.contrib.postgres.indexes import GistIndex
from django.db import models

from soar.connectors.models.account import ConnectorAccount
from soar.connectors.models.fields import NetworkField


class ProviderAnswer(models.Model):
    """What one provider said of one value, as it was sent. ``scores`` are its raw numbers: what they mean is judged by
    the account's thresholds each time. ``known`` false: it has never heard of the value."""

    account = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE, related_name="answers", db_index=False)
    type = models.CharField(max_length=20)
    value = models.CharField(max_length=2048)
    digest = models.CharField(max_length=64)
    known = models.BooleanField()
    scores = models.JSONField(default=dict)
    fetched_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest", "account"], name="provideranswer_once")]
        indexes = [models.Index(fields=["fetched_at"], name="provideranswer_age")]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"


class FeedState(models.Model):
    """How the account of kind ``feed`` does: what its last import brought. Its entries stay when an import fails.

    ``started_at``: an import is queued or under way, since when. ``counts``: entries by type. ``etag`` and ``modified``
    are those of the last answer, so that an unchanged file is not sent."""

    account = models.OneToOneField(ConnectorAccount, on_delete=models.CASCADE, related_name="feed")
    imported_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    entry_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    last_error = models.TextField(blank=True)
    failed_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=300, blank=True)
    modified = models.CharField(max_length=100, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"feed {self.account_id}"


class FeedEntry(models.Model):
    """A value of a feed, in its normal form. ``effect``: malicious, suspicious or benign."""

    account = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE, related_name="feed_entries")
    type = models.CharField(max_length=20)
    value = models.CharField(max_length=2048)
    digest = models.CharField(max_length=64)
    network = NetworkField(null=True)
    effect = models.CharField(max_length=20)
    note = models.CharField(max_length=200, blank=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["digest"], name="feedentry_digest"),
            GistIndex(
                fields=["network"],
                opclasses=["inet_ops"],
                name="feedentry_network",
                condition=models.Q(network__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.value}"
