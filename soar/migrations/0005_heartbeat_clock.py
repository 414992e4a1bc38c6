"""Processes say how far the clock of their host is ahead of the database's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("soar", "0004_failing_call")]

    operations = [
        migrations.AddField(
            "heartbeat",
            "ahead",
            models.FloatField(null=True, help_text="Seconds: its host's clock minus the database's"),
        ),
    ]
