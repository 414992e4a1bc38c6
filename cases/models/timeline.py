"""The timeline: append-only, hash-chained per subject, the event log that everything else reads."""

from __future__ import annotations

from django.db import models

from cases import search_words
from cases.models.alert import Alert
from cases.models.incident import Incident


class TimelineEntry(models.Model):
    """One thing that happened to an alert or an incident (casework.md 13 to 15).

    The subject is exactly one of ``alert`` and ``incident``. The actor is plain columns: the row outlives
    the person, and UPDATE is refused by a trigger. ``hash`` is made by ``cases.chain`` (rulings 14)."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, null=True, related_name="timeline", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="timeline", db_index=False)
    kind = models.CharField(max_length=40, help_text="A name of cases.timeline_kinds")
    actor_type = models.CharField(max_length=12, help_text="user, playbook, source, system")
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    data = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    cause = models.UUIDField(null=True)
    hash = models.BinaryField(max_length=32)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "timeline entries"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(alert=None, incident__isnull=False) | models.Q(alert__isnull=False, incident=None),
                name="timeline_one_subject",
            )
        ]
        indexes = [
            search_words.index(search_words.NOTE, "timeline_words", search_words.WRITTEN),
            models.Index(fields=["-id"], name="timeline_written", condition=search_words.WRITTEN),
            models.Index(fields=["alert", "id"], name="timeline_alert", condition=models.Q(alert__isnull=False)),
            models.Index(
                fields=["incident", "id"],
                name="timeline_incident",
                condition=models.Q(incident__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor_name}"

    @property
    def alert_number(self) -> str:
        """That of the alert on whose timeline it stands, "" for an incident's entry. It is not fetched."""
        return f"ALR-{self.alert_id}" if self.alert_id else ""
