import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0011_servicenow_instance_version"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="alertsource",
            name="unkept",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="Refused deliveries that are not among the dead letters"
            ),
        ),
        migrations.CreateModel(
            name="ReplayJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50),
                        help_text="Of the token that asked; null: all",
                        null=True,
                        size=None,
                    ),
                ),
                ("letters", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("in_progress", "In Progress"),
                            ("successful", "Successful"),
                            ("partially_successful", "Partially Successful"),
                            ("unsuccessful", "Unsuccessful"),
                        ],
                        default="queued",
                        max_length=24,
                    ),
                ),
                ("position", models.PositiveIntegerField(default=0, help_text="How many are dealt with")),
                ("done", models.PositiveIntegerField(default=0, help_text="How many of them could be read")),
                ("last_error", models.CharField(blank=True, max_length=1000)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.alertsource",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SourceMapping",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("mapping", models.JSONField(default=dict)),
                ("made_by_name", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "restored_from",
                    models.PositiveIntegerField(help_text="Number of the version that it repeats", null=True),
                ),
                ("misfits", models.PositiveIntegerField(default=0, help_text="Samples that it was saved in spite of")),
                (
                    "made_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="mappings",
                        to="cases.alertsource",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="alertsource",
            name="mapping",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="cases.sourcemapping"
            ),
        ),
        migrations.CreateModel(
            name="SourceSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("body", models.TextField(help_text="JSON as it came")),
                ("made_by_name", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="samples",
                        to="cases.alertsource",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("received_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "address",
                    models.CharField(blank=True, help_text="Of the sender, as the connection has it", max_length=45),
                ),
                ("status", models.PositiveSmallIntegerField(help_text="What the sender was answered: 400 or 413")),
                ("error", models.CharField(max_length=1000)),
                ("place", models.PositiveIntegerField(null=True)),
                ("content_type", models.CharField(blank=True, max_length=200)),
                ("encoding", models.CharField(blank=True, help_text="Content-Encoding: gzip or empty", max_length=40)),
                ("size", models.PositiveBigIntegerField(help_text="Bytes that came, or were announced")),
                ("kept", models.PositiveIntegerField(help_text="Bytes of body")),
                ("body", models.BinaryField()),
                ("tries", models.PositiveIntegerField(default=0, help_text="Replays")),
                ("replayed_at", models.DateTimeField(help_text="When it could be read; null: it waits", null=True)),
                ("replayed_by", models.CharField(blank=True, max_length=200)),
                (
                    "outcome",
                    models.CharField(
                        blank=True, help_text="What came of the last replay, in a sentence", max_length=1000
                    ),
                ),
                (
                    "alert",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="cases.alert"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dead_letters",
                        to="cases.alertsource",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["source", "-id"], name="dead_letter_source"),
                    models.Index(
                        condition=models.Q(("replayed_at", None)), fields=["source", "-id"], name="dead_letter_waits"
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="sourcemapping",
            constraint=models.UniqueConstraint(fields=("source", "number"), name="source_mapping_number"),
        ),
        migrations.AddConstraint(
            model_name="sourcesample",
            constraint=models.UniqueConstraint(
                models.F("source"), django.db.models.functions.text.Lower("name"), name="source_sample_name"
            ),
        ),
    ]
