"""Where a reading goes on that is not known by a time alone; constant defaults, so no table is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0018_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="alertpull",
            name="mark",
            field=models.JSONField(
                blank=True, db_default={}, default=dict, help_text="What else its reader goes on by"
            ),
        ),
        migrations.AddField(
            model_name="alertpull",
            name="subject",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="What was read so far", max_length=300
            ),
        ),
    ]
