"""A second factor that a role asks for; where people are signed in; ending all sessions of a person."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_audit_indexes")]

    operations = [
        migrations.AddField(
            model_name="role",
            name="second_factor",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whoever has this role must have a second factor (access.md 1)",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="session_epoch",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Counted up, it ends every session of the person"
            ),
        ),
        migrations.CreateModel(
            name="LoginSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(help_text="Key of Django's session", max_length=40)),
                (
                    "agent",
                    models.CharField(blank=True, help_text="What the browser calls itself", max_length=300),
                ),
                ("address", models.GenericIPAddressField(null=True)),
                ("made_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="login_sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-seen_at"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("key",), name="login_session_key")],
            },
        ),
    ]
