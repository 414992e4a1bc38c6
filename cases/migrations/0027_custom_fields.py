"""Fields that an installation adds to its incidents, with their values."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0026_exports")]

    operations = [
        migrations.CreateModel(
            name="CustomField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("kind", models.CharField(max_length=20)),
                (
                    "choices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                (
                    "required",
                    models.BooleanField(default=False, help_text="An incident cannot be resolved or closed without it"),
                ),
                ("help_text", models.CharField(blank=True, max_length=500)),
                ("position", models.PositiveIntegerField(default=0)),
                ("everywhere", models.BooleanField(default=True)),
                ("retired_at", models.DateTimeField(null=True)),
                ("changed_by", models.CharField(blank=True, max_length=200)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("updated_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("version", models.PositiveIntegerField(default=1)),
                ("templates", models.ManyToManyField(blank=True, related_name="fields", to="cases.incidenttemplate")),
            ],
            options={
                "ordering": ["position", "id"],
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("key",), name="custom_field_key_unique"),
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("name"), name="custom_field_name_unique"
                    ),
                ],
            },
        ),
        # Defaults of the database: neither column is written anew, and what is still running may add rows without them.
        migrations.AddField(
            "incident",
            "custom_fields",
            models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="Values, by key",
            ),
        ),
        migrations.AddField(
            "incidenttemplate",
            "custom_fields",
            models.JSONField(
                blank=True,
                db_default=models.Value({}, models.JSONField()),
                default=dict,
                help_text="Values to begin with",
            ),
        ),
    ]
