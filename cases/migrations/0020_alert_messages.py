"""Mail messages beside the alerts that were made of them; a new table, so nothing is rewritten."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0019_pull_place"),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("content", models.BinaryField()),
                ("size", models.BigIntegerField(help_text="Bytes")),
                ("sha256", models.CharField(max_length=64)),
                ("received_at", models.DateTimeField()),
                (
                    "alert",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="cases.alert",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.AddConstraint(
            model_name="alertmessage",
            constraint=models.UniqueConstraint(fields=("alert", "sha256"), name="alert_message_once"),
        ),
    ]
