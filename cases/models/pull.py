"""Alerts that are fetched from a product instead of being sent by it, and what is told back to it (connectors.md 4)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_noop as _

from cases.models.alert import Alert
from cases.models.source import AlertSource
from soar.connectors.models import ConnectorAccount


class AlertPull(models.Model):
    """How a source is read. ``read_until`` and ``mark`` (soar.connectors.reader.Place) move only after everything
    before them is stored; some is read again, and ``PulledAlert`` keeps that from being taken twice."""

    source = models.OneToOneField(AlertSource, on_delete=models.CASCADE, related_name="pull")
    account = models.ForeignKey(ConnectorAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    enabled = models.BooleanField(default=True)
    every_seconds = models.PositiveIntegerField(default=60)
    look_back_hours = models.PositiveIntegerField(default=24, help_text="Where the first reading begins")
    read_until = models.DateTimeField(null=True)
    mark = models.JSONField(default=dict, db_default={}, blank=True, help_text="What else its reader goes on by")
    subject = models.CharField(max_length=300, default="", db_default="", blank=True, help_text="What was read so far")
    due_at = models.DateTimeField(db_default=models.functions.Now())
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row")
    last_ok_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"reading of {self.source_id}"


class PulledAlert(models.Model):
    """An alert of the product that was seen: each once for a source, whoever reads it. ``changed`` is the product's own
    time of its last change. ``alert`` is null once the alert was purged, or if it could not be taken."""

    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=300)
    changed = models.CharField(max_length=40, blank=True)
    alert = models.ForeignKey(Alert, on_delete=models.SET_NULL, null=True, related_name="+")
    seen_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "remote_id"], name="pulled_alert_once")]

    def __str__(self) -> str:
        return self.remote_id


class PushState(models.TextChoices):
    """``failed`` stays until a person says so: it was refused for good, or tried too often."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    DONE = "done", _("Sent")
    FAILED = "failed", _("Not sent")


class AlertPush(models.Model):
    """Something to tell the product that an alert came from: its state as it is then, or one note.

    ``entry`` is the id of the timeline entry that asked for it, 0 for a state. At most one state waits for an alert:
    what is sent is read when it is sent."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="pushes", db_index=False)
    entry = models.BigIntegerField(default=0)
    cause = models.UUIDField(null=True)
    state = models.CharField(max_length=10, choices=PushState.choices, default=PushState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=models.functions.Now())
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    said = models.TextField(blank=True, help_text="What came of it, in a sentence")
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["alert"],
                name="alert_push_one_state_waits",
                condition=models.Q(entry=0, state=PushState.WAITING),
            ),
            models.UniqueConstraint(
                fields=["alert", "entry"], name="alert_push_note_once", condition=~models.Q(entry=0)
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                name="alert_push_open",
                condition=models.Q(state__in=(PushState.WAITING, PushState.SENDING)),
            ),
            models.Index(fields=["alert", "-id"], name="alert_push_alert"),
        ]

    def __str__(self) -> str:
        return f"push {self.pk} of ALR-{self.alert_id}"
