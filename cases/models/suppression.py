"""Rules that hold alerts back from the queue for a while (ingest-and-api.md 9)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from soar.accounts.models import Team


class SuppressionRule(models.Model):
    """Holds back the alerts that meet all its conditions until it expires or is ended.

    ``conditions`` maps names of the query box (``cases.ingest.suppression``) to lists of texts, one of which must fit.
    Whose alerts: those of ``team``; without one those of no team, with ``all_teams`` everybody's. ``held`` and
    ``repeats`` are figures for people; which alerts it holds is told by ``Alert.suppression``."""

    name = models.CharField(max_length=100)
    reason = models.TextField(help_text="Why these alerts need not be looked at")
    conditions = models.JSONField(default=dict)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    all_teams = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)
    releasing = models.BooleanField(default=False, help_text="What it held back is being put into the queue")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    changed_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    held = models.BigIntegerField(default=0)
    repeats = models.BigIntegerField(default=0)
    last_hit_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class SuppressionGeneration(models.Model):
    """One row: its number goes up with every change of a rule, so that each process knows when to read them anew."""

    number = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)


class SourceWatch(models.Model):
    """One row: for how many seconds this portal has been listening, ever. Its own absence and jumps of the clock do
    not count, so they are not taken for the silence of a source (rulings 19)."""

    listened = models.FloatField(default=0)
    at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.listened:.0f} s"
