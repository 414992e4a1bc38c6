"""How many alerts came, by the hour: what charts are drawn from, so that no page counts a million rows."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from cases.models.source import AlertSource
from soar.accounts.models import Team


class AlertHour(models.Model):
    """Alerts of one source, team and severity received within one hour (UTC), repeats not counted again.

    Written by ``cases.dashboard.counting`` alone. Alerts of restricted incidents are in no figure: whoever may see a
    chart need not be one of those who may know of them (access.md 3). The team is the one that the alert had when its
    hour was last counted."""

    hour = models.DateTimeField()
    source = models.ForeignKey(AlertSource, on_delete=models.CASCADE, related_name="+", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    severity = models.SmallIntegerField()
    count = models.PositiveIntegerField()
    upto = models.BigIntegerField(default=0, help_text="The newest alert there was when this was counted")

    objects: ClassVar[models.Manager[AlertHour]] = models.Manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["hour"], name="alert_hour")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H} {self.source_id} {self.severity}: {self.count}"
