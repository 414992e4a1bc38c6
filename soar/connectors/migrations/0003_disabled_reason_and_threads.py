"""Why Soar disabled an account; the thread that a mail belongs to."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("connectors", "0002_routes")]

    operations = [
        migrations.AddField(
            model_name="connectoraccount",
            name="disabled_reason",
            field=models.TextField(blank=True, help_text="Why Soar itself disabled it; empty when a person did"),
        ),
        migrations.AddField(
            model_name="attempt",
            name="thread",
            field=models.CharField(blank=True, help_text="Of a mail: what it is about", max_length=200),
        ),
        migrations.AddIndex(
            model_name="attempt",
            index=models.Index(condition=~models.Q(thread=""), fields=["account", "thread"], name="attempt_thread"),
        ),
    ]
