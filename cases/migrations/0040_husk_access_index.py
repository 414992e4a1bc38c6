"""Whose access follows a restricted incident is found by an index, built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0039_husk_access")]

    operations = [
        AddIndexConcurrently(
            "incident",
            models.Index(fields=["access_of"], name="incident_access_of", condition=models.Q(access_of__isnull=False)),
        ),
    ]
