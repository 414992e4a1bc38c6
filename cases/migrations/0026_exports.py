"""Exports of incidents that workers make, and templates of reports; new tables, so nothing is rewritten."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0025_alert_hours"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ReportTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(db_index=False, max_length=60)),
                ("name", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("body", models.TextField()),
                ("enabled", models.BooleanField(default=True)),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField()),
                ("updated_by_name", models.CharField(max_length=200)),
            ],
            options={
                "ordering": ["name", "id"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("slug",), name="report_template_slug_once")],
            },
        ),
        migrations.CreateModel(
            name="ExportJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), null=True, size=None
                    ),
                ),
                ("format", models.CharField(help_text="A name of cases.reporting.formats", max_length=20)),
                ("options", models.JSONField(default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("in_progress", "In progress"),
                            ("successful", "Ready"),
                            ("unsuccessful", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=24,
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=0)),
                ("progress", models.PositiveSmallIntegerField(default=0, help_text="Percent")),
                ("message", models.TextField(blank=True, help_text="Why it failed")),
                ("name", models.CharField(blank=True, help_text="Of the download", max_length=255)),
                ("file", models.CharField(blank=True, max_length=64)),
                ("size", models.BigIntegerField(help_text="Bytes", null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.incident"
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
                "indexes": [models.Index(fields=["user", "-id"], name="export_job_user")],
            },
        ),
        migrations.CreateModel(
            name="ReportTemplateVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("body", models.TextField()),
                ("saved_at", models.DateTimeField()),
                ("saved_by_name", models.CharField(max_length=200)),
                (
                    "template",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="cases.reporttemplate",
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("template", "number"), name="report_template_version_once")
                ],
            },
        ),
    ]
