"""Alerts by the hour, and an index that finds those of an hour. The index is built beside the alerts that come in."""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("accounts", "0007_grant_job"), ("cases", "0024_mentions_pins")]

    operations = [
        migrations.CreateModel(
            name="AlertHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("severity", models.SmallIntegerField()),
                ("count", models.PositiveIntegerField()),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.alertsource",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["hour"], name="alert_hour")],
            },
        ),
        AddIndexConcurrently(
            model_name="alert",
            index=django.contrib.postgres.indexes.BrinIndex(
                autosummarize=True, fields=["received_at"], name="alert_received"
            ),
        ),
    ]
