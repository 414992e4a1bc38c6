"""Until when, by whom and why a grant holds."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

TABLES = ("playbookuserpermission", "playbookgrouppermission")


def fields():
    """The columns of soar.accounts.models.grant.GrantFields; each has a constant default, so no table is rewritten."""
    yield "expires_at", models.DateTimeField(blank=True, help_text="Counts for nothing from then on", null=True)
    yield (
        "granted_at",
        models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
    )
    yield (
        "granted_by",
        models.ForeignKey(
            blank=True,
            null=True,
            on_delete=django.db.models.deletion.SET_NULL,
            related_name="+",
            to=settings.AUTH_USER_MODEL,
        ),
    )
    yield "reason", models.CharField(blank=True, db_default="", default="", max_length=300)
    yield (
        "rule",
        models.CharField(
            blank=True, db_default="", default="", help_text="By which stated rule; empty: by hand", max_length=20
        ),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("playbooks", "0005_task_named"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(model_name=table, name=name, field=field) for table in TABLES for name, field in fields()
    ]
