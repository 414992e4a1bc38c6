"""The queue can be sorted by how soon alerts must be taken. The index is built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0036_search_indexes")]

    operations = [
        AddIndexConcurrently(
            "alert",
            models.Index(
                fields=["severity", "received_at", "id"],
                name="alert_untaken",
                condition=models.Q(status=0, acknowledged_at=None, incident=None, suppression=None),
            ),
        ),
    ]
