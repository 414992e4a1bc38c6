"""Techniques and values of custom fields are looked for: by filters, and by the ATT&CK matrix. Built beside the traffic,
so not in one transaction."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0027_custom_fields")]

    operations = [
        AddIndexConcurrently("alert", GinIndex(fields=["techniques"], name="alert_techniques")),
        AddIndexConcurrently(
            "alert",
            models.Index(
                condition=models.Q(("techniques", []), _negated=True),
                fields=["-received_at"],
                name="alert_technique_time",
            ),
        ),
        AddIndexConcurrently("incident", GinIndex(fields=["techniques"], name="incident_techniques")),
        AddIndexConcurrently("incident", GinIndex(fields=["custom_fields"], name="incident_custom_fields")),
    ]
