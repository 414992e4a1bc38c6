import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_viewing_settings"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="GrantJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=50), null=True, size=None
                    ),
                ),
                ("kind", models.CharField(help_text="A name of settings.GRANTABLE", max_length=20)),
                ("things", django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ("level", models.CharField(max_length=20)),
                ("expires_at", models.DateTimeField(null=True)),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
                (
                    "status",
                    models.CharField(
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
                ("position", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("same", models.PositiveIntegerField(default=0, help_text="Had this grant already")),
                ("refused_count", models.PositiveIntegerField(default=0)),
                ("refused", models.JSONField(default=list, help_text="[{thing, message}], the first thousand")),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "to_group",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                    ),
                ),
                (
                    "to_user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "indexes": [models.Index(fields=["user", "-id"], name="grant_job_user")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("to_user__isnull", True), ("to_group__isnull", True), _connector="XOR"),
                        name="grant_job_one_holder",
                    )
                ],
            },
        ),
    ]
