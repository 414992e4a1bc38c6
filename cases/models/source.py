"""Where alerts come from."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from cases.choices import Determination, RepeatRule, Severity, Tlp
from soar.accounts.models import Team
from soar.lib.crypto import EncryptedTextField


class AlertSource(models.Model):
    """One sender of alerts with its kind (normaliser), defaults, rules and counters (ingest-and-api.md 1)."""

    name = models.CharField(max_length=100)
    slug = models.SlugField(max_length=60, db_index=False)
    kind = models.CharField(max_length=30, help_text="A name of cases.ingest.registry")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="sources")
    enabled = models.BooleanField(default=True)
    hmac_secret = EncryptedTextField(blank=True, default="", help_text="Signs the body as sha256=<hex>")
    allowed_networks = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    default_severity = models.SmallIntegerField(choices=Severity.choices, default=Severity.MEDIUM)
    default_tlp = models.CharField(max_length=12, choices=Tlp.choices, default=Tlp.AMBER)
    default_tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    key_fields = ArrayField(
        models.CharField(max_length=200),
        default=list,
        blank=True,
        help_text="Paths into the payload that make the key of an alert; empty: the kind's own rule",
    )
    repeat_rule = models.CharField(max_length=10, choices=RepeatRule.choices, default=RepeatRule.AUTO)
    close_on_resolved = models.BooleanField(
        default=False, help_text="An alert that its source reports as resolved is resolved here too"
    )
    resolved_determination = models.SmallIntegerField(
        choices=Determination.choices, default=Determination.BENIGN, help_text="Used by close_on_resolved"
    )
    delivers = models.CharField(max_length=20, default="endpoint,email", help_text="endpoint, email, other")
    rate_per_second = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the setting's")
    last_seen_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BigIntegerField(default=0)
    repeats = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    unkept = models.BigIntegerField(
        db_default=0, default=0, help_text="Refused deliveries that are not among the dead letters"
    )
    mapping = models.ForeignKey("cases.SourceMapping", on_delete=models.SET_NULL, null=True, related_name="+")
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    silence_warns = models.BooleanField(
        default=True, db_default=True, help_text="Warn when it is silent for too long (rulings 19)"
    )
    silence_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Too long; empty: as it is learnt")
    silent_since = models.DateTimeField(null=True, blank=True)
    # Seconds of listening (SourceWatch) at which it was heard first and last, and the longest pause of late.
    heard_first = models.FloatField(null=True)
    heard_last = models.FloatField(null=True)
    usual_pause = models.FloatField(null=True)
    demo = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = [
            ("view_source", "See the source and its alerts"),
            ("manage_source", "Manage the source"),
        ]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="source_name_unique"),
            models.UniqueConstraint(fields=["slug"], name="source_slug_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class SourceToken(models.Model):
    """A token of a source: shown once, stored as a digest; several at once make a rotation overlap."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="tokens")
    prefix = models.CharField(max_length=12)
    digest = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["digest"], name="source_token_digest_unique")]

    def __str__(self) -> str:
        return f"{self.prefix}…"
