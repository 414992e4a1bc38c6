"""Outgoing webhooks to hosts for which an authority of the house vouches."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0040_husk_access_index")]

    operations = [
        migrations.AddField(
            "webhookendpoint",
            "ca",
            models.TextField(
                blank=True, db_default="", default="", help_text="Certificates (PEM) of who vouches for its host"
            ),
        ),
    ]
