from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """Runs that a token asked for have no more than its scopes. Those under way have all, as they were begun."""

    dependencies = [("playbooks", "0007_minutes_saved")]
    operations = [
        migrations.AddField(
            "run",
            "scopes",
            ArrayField(models.CharField(max_length=50), null=True, help_text="Of the token that asked; null: all"),
        )
    ]
