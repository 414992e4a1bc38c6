"""The order of incidents by what is due next, and those whose clocks are to be reckoned anew; built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0031_sla")]

    operations = [
        AddIndexConcurrently(
            "incident",
            models.Index(fields=["sla_due_at", "id"], name="incident_due", condition=models.Q(("status__lt", 3))),
        ),
        AddIndexConcurrently(
            "incident",
            models.Index(
                fields=["sla_version", "id"],
                name="incident_sla_version",
                condition=models.Q(("status__lt", 3), ("sla_version", None), _connector="OR"),
            ),
        ),
    ]
