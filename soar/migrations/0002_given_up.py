"""Tasks that were given up are found without reading those that wait; built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("soar", "0001_queue_and_heartbeat")]

    operations = [
        AddIndexConcurrently(
            "queuedtask",
            models.Index(
                fields=["failed_at", "id"],
                condition=models.Q(("failed_at", None), _negated=True),
                name="soar_queue_given_up",
            ),
        ),
    ]
