"""The queue by team and by incident: what one of two hundred teams sees is found without reading the others'. Resolved
alerts by their age, for retention. Built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0034_alert_hour_upto")]

    operations = [
        AddIndexConcurrently(
            "alert",
            models.Index(
                condition=models.Q(("status__lt", 2), ("suppression", None)),
                fields=["team", "-severity", "-id"],
                name="alert_queue_team",
            ),
        ),
        AddIndexConcurrently(
            "alert",
            models.Index(
                condition=models.Q(("status__lt", 2), ("suppression", None), ("incident__isnull", False)),
                fields=["incident"],
                name="alert_queue_incident",
            ),
        ),
        AddIndexConcurrently(
            "alert",
            models.Index(
                condition=models.Q(("incident", None), ("status", 2)),
                fields=["resolved_at", "id"],
                name="alert_resolved",
            ),
        ),
    ]
