"""What the figures of alerts by hour were counted up to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0033_hand_over")]

    operations = [
        migrations.AddField(
            model_name="alerthour",
            name="upto",
            field=models.BigIntegerField(default=0, help_text="The newest alert there was when this was counted"),
        ),
    ]
