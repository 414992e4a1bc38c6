"""The indexes of the queue leave out what is held back. Built beside the traffic, so not in one transaction; the old
ones go when the new ones are there."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

QUEUE = models.Q(("status__lt", 2), ("suppression", None))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0013_suppression")]

    operations = [
        AddIndexConcurrently(
            "alert", models.Index(fields=["-severity", "-id"], name="alert_queue_severity", condition=QUEUE)
        ),
        AddIndexConcurrently("alert", models.Index(fields=["-id"], name="alert_queue_id", condition=QUEUE)),
        AddIndexConcurrently("alert", models.Index(fields=["owner", "-id"], name="alert_queue_owner", condition=QUEUE)),
        AddIndexConcurrently(
            "alert",
            models.Index(
                fields=["-severity", "-id"],
                name="alert_queue_unowned",
                condition=models.Q(("status__lt", 2), ("suppression", None), ("owner", None)),
            ),
        ),
        AddIndexConcurrently(
            "alert",
            models.Index(
                fields=["suppression", "-id"],
                name="alert_suppression",
                condition=models.Q(("suppression__isnull", False)),
            ),
        ),
        RemoveIndexConcurrently("alert", "alert_open_severity"),
        RemoveIndexConcurrently("alert", "alert_open_id"),
        RemoveIndexConcurrently("alert", "alert_open_owner"),
        RemoveIndexConcurrently("alert", "alert_unowned"),
    ]
