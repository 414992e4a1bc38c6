"""The clocks of incidents, their pauses, and the policy that they follow (casework.md 11)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_noop as _

from cases.models.incident import Incident


class SlaPolicy(models.Model):
    """The one policy, pk 1; without a row the shipped one holds (``cases.sla.policy``, which knows what is inside)."""

    targets = models.JSONField()
    hours = models.JSONField()
    time_zone = models.CharField(max_length=60)
    holidays = ArrayField(models.CharField(max_length=10))
    warn_percent = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField()
    changed_by = models.CharField(max_length=200)
    updated_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="sla_policy_one")]

    def __str__(self) -> str:
        return "SLA policy"


class IncidentClock(models.Model):
    """One run of a clock: from ``started_at`` until ``stopped_at``; a reopening begins another ``round``.

    ``target`` in minutes (None: no target), ``warn_at`` and ``due_at`` as long as they are known: not while a pause
    that began before them lasts. ``seconds`` of working time it took, pauses not counted, set when it stops; None then
    means that it was not measured: nobody did what it measures. Times are the database's."""

    class Name(models.TextChoices):
        """What is measured."""

        ACKNOWLEDGE = "acknowledge", _("Acknowledge")
        CONTAIN = "contain", _("Contain")
        RESOLVE = "resolve", _("Resolve")

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="clocks", db_index=False)
    name = models.CharField(max_length=12, choices=Name.choices)
    round = models.PositiveIntegerField(default=1)
    started_at = models.DateTimeField()
    target = models.PositiveIntegerField(null=True, help_text="Minutes")
    warn_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    stopped_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True, help_text="Working time that it took")
    risk_told_at = models.DateTimeField(null=True)
    breach_told_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "name", "round"], name="sla_clock_round"),
            models.UniqueConstraint(fields=["incident", "name"], condition=Q(stopped_at=None), name="sla_clock_runs"),
            models.CheckConstraint(
                condition=Q(stopped_at=None) | Q(stopped_at__gte=F("started_at")), name="sla_clock_forward"
            ),
        ]
        indexes = [
            models.Index(
                fields=["warn_at"],
                name="sla_clock_warn",
                condition=Q(stopped_at=None, risk_told_at=None, warn_at__isnull=False),
            ),
            models.Index(
                fields=["due_at"],
                name="sla_clock_due",
                condition=Q(stopped_at=None, breach_told_at=None, due_at__isnull=False),
            ),
            models.Index(fields=["stopped_at"], name="sla_clock_stopped", condition=Q(stopped_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.name} of INC-{self.incident_id}"


class IncidentPause(models.Model):
    """A time in which an incident's clocks stand still, with the reason; at most one at a time."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="pauses")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    reason = models.TextField()
    paused_by = models.CharField(max_length=200)
    resumed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["incident"], condition=Q(ended_at=None), name="sla_pause_one"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")), name="sla_pause_forward"
            ),
        ]

    def __str__(self) -> str:
        return f"pause of INC-{self.incident_id}"
