"""The number of a claim is drawn by lot. Only what is said of the column changes, so the table is not touched."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("soar", "0005_heartbeat_clock")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "queuedtask",
                    "claim",
                    models.IntegerField(db_default=0, help_text="The number of its last claim, drawn by lot"),
                ),
            ]
        ),
    ]
