"""What is left of the sandbox's quota of an account."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0009_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="SandboxQuota",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("remaining", models.PositiveIntegerField()),
                ("told_at", models.DateTimeField()),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sandbox_quota",
                        to="connectors.connectoraccount",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
    ]
