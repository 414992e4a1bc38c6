import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0006_access_token"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                (
                    "file",
                    models.CharField(
                        blank=True, help_text="Its name in the folder of uploads; empty: deleted", max_length=64
                    ),
                ),
                ("size", models.PositiveBigIntegerField()),
                ("status", models.CharField(default="queued", max_length=20)),
                ("stage", models.CharField(blank=True, default="", help_text="reading or saving", max_length=20)),
                ("read_bytes", models.PositiveBigIntegerField(default=0)),
                ("read_lines", models.PositiveBigIntegerField(default=0)),
                ("taken_count", models.PositiveIntegerField(default=0)),
                ("skipped_count", models.PositiveIntegerField(default=0)),
                ("problems", models.JSONField(default=list)),
                ("error", models.TextField(blank=True)),
                ("error_line", models.PositiveBigIntegerField(null=True)),
                ("starts", models.PositiveIntegerField(default=0)),
                ("lease_owner", models.CharField(blank=True, default="", max_length=100)),
                ("lease_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="imports",
                        to="connectors.connectoraccount",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ("queued", "in_progress"))),
                        fields=("account",),
                        name="feedimport_one_open",
                    )
                ],
            },
        ),
    ]
