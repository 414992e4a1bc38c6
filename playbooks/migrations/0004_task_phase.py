"""How far a response task is with its product: a worker that takes it over must know whether a call went out."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("playbooks", "0003_position")]

    operations = [
        migrations.AddField(
            model_name="responsetask",
            name="phase",
            field=models.CharField(
                blank=True, help_text="Empty: to be done; sent: a call went out; poll: taken", max_length=8
            ),
        ),
    ]
