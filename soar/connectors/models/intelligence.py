"""What providers answered, and the feeds that were imported (connectors.md 4)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GistIndex
from django.db import models
from django.db.models.functions import Now

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


class FeedImport(models.Model):
    """A file for a feed, on its way into it. The file stays in the data folder until the import is over.

    ``status``: queued, in_progress, successful, unsuccessful. ``read_lines`` of ``read_bytes`` of ``size`` say how far
    it is; a document (STIX, MISP) has items instead of lines. ``problems``: the first of what was skipped, as
    ``[line, text]``. ``lease_until``: how long it is ``lease_owner``'s, who works on it."""

    account = models.ForeignKey(ConnectorAccount, on_delete=models.CASCADE, related_name="imports")
    name = models.CharField(max_length=200)
    file = models.CharField(max_length=64, blank=True, help_text="Its name in the folder of uploads; empty: deleted")
    size = models.PositiveBigIntegerField()
    status = models.CharField(max_length=20, default="queued")
    stage = models.CharField(max_length=20, blank=True, default="", help_text="reading or saving")
    read_bytes = models.PositiveBigIntegerField(default=0)
    read_lines = models.PositiveBigIntegerField(default=0)
    taken_count = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list)
    error = models.TextField(blank=True)
    error_line = models.PositiveBigIntegerField(null=True)
    starts = models.PositiveIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="feedimport_one_open",
                condition=models.Q(status__in=("queued", "in_progress")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} for feed {self.account_id}"


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
