from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    """Backtests that a token asked for see no more than its scopes let it."""

    dependencies = [("playbooks", "0008_run_scopes")]
    operations = [
        migrations.AddField(
            "backtest",
            "scopes",
            ArrayField(models.CharField(max_length=50), null=True, help_text="Of the token that asked; null: all"),
        )
    ]
