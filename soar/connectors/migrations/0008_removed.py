"""Connectors that were removed keep their row. Back again, their names are made different from those that are there."""

import django.db.models.functions.text
from django.db import migrations, models
from django.db.models import F, Value
from django.db.models.functions import Cast, Concat, Left


def name_apart(apps, schema_editor):
    """Give each removed one a name of its own, so that names can be unique among all."""
    removed = apps.get_model("connectors", "ConnectorAccount").objects.filter(removed_at__isnull=False)
    number = Cast(F("pk"), models.CharField())
    removed.update(name=Concat(Left("name", 70), Value(" (removed "), number, Value(")")))


class Migration(migrations.Migration):
    dependencies = [
        ("connectors", "0007_feed_import"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="connectoraccount", name="connector_name_once"),
        migrations.AddField(
            model_name="connectoraccount",
            name="removed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connectoraccount",
            name="removed_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.RunPython(migrations.RunPython.noop, name_apart, elidable=False),
        migrations.AddConstraint(
            model_name="connectoraccount",
            constraint=models.UniqueConstraint(
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("removed_at__isnull", True)),
                name="connector_name_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="connectoraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("removed_at__isnull", True), ("enabled", False), _connector="OR"),
                name="connector_removed_is_off",
            ),
        ),
    ]
