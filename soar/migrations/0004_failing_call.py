"""Scheduled functions that fail, so that more than the log tells of them."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies = [("soar", "0003_low_disk")]

    operations = [
        migrations.CreateModel(
            name="FailingCall",
            fields=[
                ("name", models.TextField(help_text="Dotted name of the function", primary_key=True, serialize=False)),
                ("error", models.TextField(help_text="The class of the last error; its words are in the log")),
                ("times", models.PositiveIntegerField(db_default=1)),
                ("since", models.DateTimeField(db_default=Now())),
                ("at", models.DateTimeField(db_default=Now())),
            ],
            options={"db_table": "soar_failing_call"},
        ),
    ]
