"""A template that something still refers to is kept when it is deleted: what it asks of incidents is asked on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0041_webhook_ca")]

    operations = [migrations.AddField("incidenttemplate", "deleted_at", models.DateTimeField(null=True))]
