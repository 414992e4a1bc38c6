"""What a run of a playbook saves, for the figures of the dashboard."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("playbooks", "0006_grants")]

    operations = [
        migrations.AddField(
            model_name="playbook",
            name="minutes_saved",
            field=models.PositiveSmallIntegerField(
                db_default=0,
                default=0,
                help_text="Minutes of a person's work that a successful run saves, as its team says",
            ),
        ),
    ]
