"""The queue and the signs of life."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="QueuedTask",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("task", models.TextField(help_text="Dotted name of the function")),
                ("args", models.JSONField(default=list, help_text="Its arguments: numbers and short texts")),
                ("created_at", models.DateTimeField(db_default=Now())),
                (
                    "ready_at",
                    models.DateTimeField(
                        db_default=Now(), help_text="Not to be taken before: back-off, or a worker has it"
                    ),
                ),
                ("claim", models.IntegerField(db_default=0, help_text="How many times it was handed to a worker")),
                ("starts", models.SmallIntegerField(db_default=0, help_text="How many times a worker began it")),
                ("started_at", models.DateTimeField(null=True)),
                (
                    "failed_at",
                    models.DateTimeField(help_text="Given up; it is kept to be looked at", null=True),
                ),
                ("error", models.TextField(blank=True, db_default="")),
            ],
            options={
                "db_table": "soar_queue",
                "indexes": [models.Index(condition=models.Q(failed_at=None), fields=["id"], name="soar_queue_waiting")],
            },
        ),
        # Short rows that come and go: leave room in the page, and clean up early.
        migrations.RunSQL(
            "ALTER TABLE soar_queue SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 5000);"
            "ALTER TABLE soar_queue ALTER COLUMN args SET DEFAULT '[]'",
            migrations.RunSQL.noop,
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("host", models.TextField()),
                ("pid", models.IntegerField()),
                ("at", models.DateTimeField(db_default=Now())),
            ],
            options={
                "db_table": "soar_heartbeat",
                "constraints": [models.UniqueConstraint(fields=("name", "host", "pid"), name="soar_heartbeat_one")],
            },
        ),
    ]
