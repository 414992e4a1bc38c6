"""Keys that sign exports, and where imported incidents came from."""

import django.db.models.deletion
from django.db import migrations, models

import soar.lib.crypto


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0021_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="SigningKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "key_id",
                    models.CharField(
                        help_text="The first 16 hex digits of the SHA-256 of the public key", max_length=16
                    ),
                ),
                ("public_key", models.CharField(help_text="32 bytes in hex", max_length=64)),
                ("private_key", soar.lib.crypto.EncryptedTextField(null=True)),
                ("made_at", models.DateTimeField()),
                ("made_by", models.CharField(max_length=200)),
                ("retired_at", models.DateTimeField(null=True)),
                ("active", models.BooleanField(default=True, help_text="Signs")),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("active", True)), fields=("active",), name="signing_key_one_active"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("active", True), ("private_key__isnull", True), _connector="OR"),
                        name="signing_key_retired_cannot_sign",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IncidentOrigin",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("product", models.CharField(help_text="soar, thehive, iris", max_length=20)),
                (
                    "digest",
                    models.CharField(help_text="SHA-256 of what tells the case from all others there", max_length=64),
                ),
                ("ref", models.CharField(help_text="Its number there, for people", max_length=300)),
                ("imported_by", models.CharField(max_length=200)),
                ("imported_at", models.DateTimeField()),
                (
                    "incident",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="origin", to="cases.incident"
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("product", "digest"), name="incident_origin_once")],
            },
        ),
    ]
