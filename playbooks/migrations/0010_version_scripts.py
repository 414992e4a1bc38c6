from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """A published version brings its scripts: the hashes of their texts. Those of before keep none."""

    dependencies = [("playbooks", "0009_backtest_scopes")]
    operations = [
        migrations.AddField(
            "playbookversion",
            "scripts",
            models.JSONField(null=True, help_text="Of a response playbook: the hashes of the scripts that it names"),
        )
    ]
