"""Disks that are nearly full: a table of its own, written about once a minute while there is one."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("soar", "0002_given_up")]

    operations = [
        migrations.CreateModel(
            name="LowDisk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.TextField()),
                ("places", models.TextField(help_text="What lies on it, separated by commas (soar.lib.disks)")),
                ("free", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("since", models.DateTimeField(db_default=Now())),
                ("seen_at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "db_table": "soar_low_disk",
                "constraints": [models.UniqueConstraint(fields=["host", "places"], name="soar_low_disk_one")],
            },
        ),
    ]
