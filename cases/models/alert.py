"""An alert: one finding of a detection product."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models.functions import Concat, Lower

from cases.choices import AlertStatus, Determination, Findings, Severity, Tlp
from cases.models.incident import Incident
from cases.models.source import AlertSource
from cases.models.suppression import SuppressionRule
from cases.querysets import AlertQuerySet
from soar.accounts.models import Team

# What stands in the queue: open, and not held back by a rule (ingest-and-api.md 9).
OPEN = models.Q(status__lt=AlertStatus.RESOLVED, suppression=None)


class Alert(models.Model):
    """One row per (source, key); repeats only count. Who may see it is decided by columns: team, owner,
    restricted (access.md 3). ``version`` goes up with every change: it is the ETag and finds stale forms.

    The raw payload is in its own table; lists never load it."""

    source = models.ForeignKey(AlertSource, on_delete=models.PROTECT, related_name="alerts", db_index=False)
    source_ref = models.CharField(max_length=300, blank=True, help_text="Id at the source")
    dedup_key = models.CharField(max_length=300)
    key_digest = models.BinaryField(
        max_length=16, null=True, help_text="Digest of the key; null once a newer alert took the key over"
    )
    count = models.PositiveIntegerField(default=1)
    title = models.CharField(max_length=500)
    description = models.TextField(blank=True)
    severity = models.SmallIntegerField(choices=Severity.choices)
    status = models.SmallIntegerField(choices=AlertStatus.choices, default=AlertStatus.NEW)
    determination = models.SmallIntegerField(choices=Determination.choices, default=Determination.UNKNOWN)
    findings = models.CharField(max_length=24, choices=Findings.choices, blank=True, default="")
    resolve_reason = models.TextField(blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="alerts", db_index=False
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="alerts", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="alerts", db_index=False)
    restricted = models.BooleanField(default=False, help_text="Its incident is restricted")
    suppression = models.ForeignKey(
        SuppressionRule,
        on_delete=models.PROTECT,
        null=True,
        related_name="alerts",
        db_index=False,
        help_text="The rule that holds it back from the queue",
    )
    detection_model = models.CharField(max_length=300, blank=True)
    occurred_at = models.DateTimeField()
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    received_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by_playbook = models.BooleanField(default=False)
    hostname = models.CharField(max_length=255, blank=True)
    username = models.CharField(max_length=255, blank=True)
    source_ip = models.CharField(max_length=45, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    techniques = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    tlp = models.CharField(max_length=12, choices=Tlp.choices, default=Tlp.AMBER)
    external_link = models.CharField(max_length=2000, blank=True)
    source_state = models.CharField(max_length=100, blank=True)
    entities = models.JSONField(default=list, help_text="Endpoints, accounts, processes: plain facts")
    repairs = models.JSONField(default=list, help_text="What was mended on the way in (ingest-and-api.md 10)")
    observable_count = models.PositiveIntegerField(default=0)
    cause = models.UUIDField(default=uuid.uuid4, help_text="Rides on every entry, run, step and remote call")
    version = models.PositiveIntegerField(default=1)
    timeline_count = models.PositiveIntegerField(default=0)
    timeline_head = models.BinaryField(max_length=32, null=True)
    # One column for free text, in lower case: what people type when they look for an alert.
    search = models.GeneratedField(
        expression=Lower(Concat(
            "title", models.Value(" "), "hostname", models.Value(" "), "username", models.Value(" "),
            "source_ip", models.Value(" "), "source_ref", models.Value(" "), "detection_model",
        )),
        output_field=models.TextField(),
        db_persist=True,
    )  # fmt: skip

    objects: ClassVar[AlertQuerySet] = AlertQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        default_permissions = ()
        constraints = [
            # Dedup (ingest-and-api.md 8): by the database, whoever is quickest.
            models.UniqueConstraint(fields=["source", "key_digest"], name="alert_key_unique"),
            models.CheckConstraint(
                condition=~models.Q(status=AlertStatus.RESOLVED) | ~models.Q(determination=0),
                name="alert_resolved_needs_determination",
            ),
        ]
        # Partial indexes over open work stay small at a million alerts.
        indexes = [
            models.Index(fields=["-severity", "-id"], name="alert_queue_severity", condition=OPEN),
            models.Index(fields=["-severity", "-id"], name="alert_severity"),
            models.Index(fields=["-id"], name="alert_queue_id", condition=OPEN),
            models.Index(fields=["owner", "-id"], name="alert_queue_owner", condition=OPEN),
            # One for each way to see an alert (querysets.visible_to): with many teams most of the queue is others'.
            models.Index(fields=["team", "-severity", "-id"], name="alert_queue_team", condition=OPEN),
            models.Index(
                fields=["incident"], name="alert_queue_incident", condition=OPEN & models.Q(incident__isnull=False)
            ),
            models.Index(
                fields=["-severity", "-id"],
                name="alert_queue_unowned",
                condition=OPEN & models.Q(owner=None),
            ),
            # Those that wait for somebody, of each severity the longest first (sla.order).
            models.Index(
                fields=["severity", "received_at", "id"],
                name="alert_untaken",
                condition=models.Q(status=AlertStatus.NEW, acknowledged_at=None, incident=None, suppression=None),
            ),
            models.Index(fields=["owner", "-id"], name="alert_owner", condition=models.Q(owner__isnull=False)),
            models.Index(fields=["team", "-id"], name="alert_team", condition=models.Q(team__isnull=False)),
            models.Index(fields=["source", "-id"], name="alert_source"),
            models.Index(fields=["incident", "-id"], name="alert_incident", condition=models.Q(incident__isnull=False)),
            models.Index(
                fields=["suppression", "-id"], name="alert_suppression", condition=models.Q(suppression__isnull=False)
            ),
            models.Index(fields=["updated_at", "id"], name="alert_updated"),
            models.Index(
                fields=["resolved_at", "id"],
                name="alert_resolved",
                condition=models.Q(status=AlertStatus.RESOLVED, incident=None),
            ),
            # Alerts are stored in the order in which they come, so a few pages tell of any hour.
            BrinIndex(fields=["received_at"], name="alert_received", autosummarize=True),
            models.Index(fields=["hostname", "-id"], name="alert_host", condition=~models.Q(hostname="")),
            models.Index(fields=["username", "-id"], name="alert_user", condition=~models.Q(username="")),
            GinIndex(fields=["tags"], name="alert_tags"),
            GinIndex(fields=["techniques"], name="alert_techniques"),
            # For the ATT&CK matrix: alerts with a technique, newest first.
            models.Index(fields=["-received_at"], name="alert_technique_time", condition=~models.Q(techniques=[])),
            GinIndex(fields=["search"], name="alert_search", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    @property
    def number(self) -> str:
        """``ALR-<id>`` (rulings 15)."""
        return f"ALR-{self.pk}"


class AlertPayload(models.Model):
    """The payload as it came: the first one, and the latest of the repeats. Kept as text, so that nothing
    a sender wrote is lost or rewritten."""

    alert = models.OneToOneField(Alert, on_delete=models.CASCADE, primary_key=True, related_name="payload")
    body = models.TextField()
    latest_body = models.TextField(null=True)
    latest_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"payload of ALR-{self.alert_id}"
