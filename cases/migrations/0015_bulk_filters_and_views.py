"""Bulk jobs by filter, in batches that can be undone; saved views of the queue."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

TOTALS = "UPDATE cases_bulkjob SET total = cardinality(alerts), refused_count = jsonb_array_length(refused)"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles_audit_cache"),
        ("cases", "0014_queue_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BulkBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("alerts", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("before", models.JSONField(default=dict)),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DefaultView",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="default_view",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60)),
                ("query", models.TextField(blank=True, help_text="Query string of the queue: filter and sort")),
                (
                    "audience",
                    models.CharField(
                        choices=[("me", "Me"), ("team", "Team"), ("all", "All")], default="me", max_length=4
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "ordering": ["position", "id"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="changed",
            field=models.PositiveIntegerField(default=0, help_text="Alerts whose former values are kept for an undo"),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="collected_at",
            field=models.DateTimeField(help_text="The alerts stand in batches since then", null=True),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="cut_off",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="query",
            field=models.TextField(null=True),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="refused_count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="skipped",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="time_zone",
            field=models.CharField(default="UTC", max_length=64),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="total",
            field=models.PositiveIntegerField(
                default=0, help_text="Alerts meant; of a filter counted when the work begins"
            ),
        ),
        migrations.AddField(
            model_name="bulkjob",
            name="undo_of",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="undone_by", to="cases.bulkjob"
            ),
        ),
        migrations.AlterField(
            model_name="bulkjob",
            name="alerts",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.AlterField(
            model_name="bulkjob",
            name="status",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("in_progress", "In Progress"),
                    ("successful", "Successful"),
                    ("partially_successful", "Partially Successful"),
                    ("unsuccessful", "Unsuccessful"),
                    ("cancelled", "Cancelled"),
                ],
                default="queued",
                max_length=24,
            ),
        ),
        migrations.AddIndex(
            model_name="bulkjob",
            index=models.Index(fields=["user", "-id"], name="bulk_job_user"),
        ),
        migrations.AddField(
            model_name="bulkbatch",
            name="job",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="cases.bulkjob"
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="owner",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="views",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="savedview",
            name="team",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.team"
            ),
        ),
        migrations.AddField(
            model_name="defaultview",
            name="view",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.savedview"
            ),
        ),
        migrations.AddConstraint(
            model_name="bulkbatch",
            constraint=models.UniqueConstraint(fields=("job", "number"), name="bulk_batch_unique"),
        ),
        migrations.AddIndex(
            model_name="savedview",
            index=models.Index(
                condition=models.Q(("audience", "me"), _negated=True), fields=["audience"], name="view_shared"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.UniqueConstraint(
                models.F("owner"), django.db.models.functions.text.Lower("name"), name="view_name_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedview",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("audience", "team"), ("team__isnull", False)),
                    models.Q(models.Q(("audience", "team"), _negated=True), ("team", None)),
                    _connector="OR",
                ),
                name="view_team_if_shared_with_it",
            ),
        ),
        migrations.RunSQL(TOTALS, migrations.RunSQL.noop),
    ]
