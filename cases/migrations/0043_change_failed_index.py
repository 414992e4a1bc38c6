"""The changes that ServiceNow refused are found by an index of their own, built beside the traffic: every page asks for
them, and those that wait may be many."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0042_template_deleted")]

    operations = [
        AddIndexConcurrently(
            "ticketchange",
            models.Index(fields=["link", "id"], name="ticket_change_failed", condition=models.Q(state="failed")),
        ),
    ]
