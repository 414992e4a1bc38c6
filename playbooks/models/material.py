"""What response playbooks are made with: scripts, detection models, the never-touch list, backtests."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower

from playbooks.choices import JobStatus
from playbooks.models.acting import ActingUser
from playbooks.models.playbook import Playbook


class Script(models.Model):
    """A PowerShell or Bash script that can be run on endpoints (response-playbooks.md 16).

    ``text`` never changes: another text is another script. ``removed`` scripts stay for the runs that used them."""

    name = models.CharField(max_length=200)
    language = models.CharField(max_length=12, help_text="powershell, bash")
    systems = ArrayField(models.CharField(max_length=20), default=list, help_text="Of Bash: linux, macos")
    description = models.TextField(blank=True)
    text = models.TextField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField(help_text="Bytes")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField(db_default=models.functions.Now())
    removed = models.BooleanField(default=False)
    demo = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = [Lower("name")]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="script_name_unique", condition=models.Q(removed=False))
        ]

    def __str__(self) -> str:
        return self.name


class DetectionModel(models.Model):
    """A detection model that alerts name, or an admin entered (rulings 11). ``key`` is the name in lower case."""

    name = models.CharField(max_length=300)
    key = models.CharField(max_length=600)
    severity = models.SmallIntegerField(help_text="As cases.choices.Severity; of the last alert unless set by hand")
    severity_set = models.BooleanField(default=False, help_text="A person set it; alerts no longer change it")
    custom = models.BooleanField(default=False)
    source_name = models.CharField(max_length=100, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    alert_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["key"], name="detection_model_once")]

    def __str__(self) -> str:
        return self.name


class Position(models.Model):
    """How far something that reads a table by its ids has come: the last id that it has looked at."""

    name = models.CharField(max_length=60, primary_key=True)
    last_id = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name} at {self.last_id}"


class NeverTouch(models.Model):
    """A rule of the never-touch list (response-playbooks.md 18, rulings 9).

    ``by``: name (a host's, account's or address's own, ``*`` at either end allowed), tag, criticality (of the asset),
    network (a CIDR that one of the addresses is in). ``kinds``: the kinds of target it is about; empty is all."""

    by = models.CharField(max_length=12)
    value = models.CharField(max_length=300)
    kinds = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    reason = models.CharField(max_length=500)
    added_by = models.CharField(max_length=200)
    added_at = models.DateTimeField(db_default=models.functions.Now())
    demo = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        ordering = ["by", "value"]
        constraints = [models.UniqueConstraint("by", Lower("value"), name="never_touch_once")]

    def __str__(self) -> str:
        return f"{self.by} {self.value}"


class Backtest(models.Model):
    """A draft tried on the alerts of the past (response-playbooks.md 30). ``cursor``: the last alert looked at."""

    playbook = models.ForeignKey(Playbook, on_delete=models.CASCADE, related_name="backtests")
    graph = models.JSONField()
    days = models.PositiveSmallIntegerField(default=30)
    status = models.CharField(max_length=12, choices=JobStatus.choices, default=JobStatus.QUEUED)
    total = models.PositiveIntegerField(default=0)
    looked_at = models.PositiveIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    started_by = ActingUser(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    scopes = ArrayField(models.CharField(max_length=50), null=True, help_text="Of the token that asked; null: all")
    cancel_requested = models.BooleanField(default=False)
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"backtest {self.pk}"
