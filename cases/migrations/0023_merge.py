"""Merges and splits of incidents with what their undo needs, and typed links between incidents."""

import django.db.models.deletion
import django.db.models.functions.comparison
from django.conf import settings
from django.db import migrations, models

# On the way back: what went into another incident was closed without a determination, and may not stay so.
SUSPICIOUS = """
UPDATE cases_incident SET determination = 2, findings = 'noteworthy'
WHERE merged_at IS NOT NULL AND determination = 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0022_signing_origin"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IncidentMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("merge", "Merge"), ("split", "Split")], max_length=8)),
                ("moved", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict)),
                ("made_by_name", models.CharField(max_length=200)),
                ("made_at", models.DateTimeField()),
                ("undone_by_name", models.CharField(blank=True, max_length=200)),
                ("undone_at", models.DateTimeField(null=True)),
                ("left", models.JSONField(default=list)),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="IncidentRelation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("duplicate_of", "duplicate of"),
                            ("child_of", "child of"),
                            ("caused_by", "caused by"),
                            ("related_to", "related to"),
                        ],
                        max_length=12,
                    ),
                ),
                ("added_by", models.CharField(max_length=200)),
                ("added_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["kind", "id"],
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="incident",
            name="incident_resolved_needs_determination",
        ),
        migrations.AddField(
            model_name="incident",
            name="merged_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="incident",
            name="merged_count",
            field=models.PositiveIntegerField(db_default=0, default=0, help_text="How many went into this one"),
        ),
        migrations.AddField(
            model_name="incident",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="cases.incident",
            ),
        ),
        migrations.RunSQL(migrations.RunSQL.noop, SUSPICIOUS),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)), fields=["merged_into"], name="incident_merged_into"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__lt", 3),
                    models.Q(("determination", 0), _negated=True),
                    ("merged_at__isnull", False),
                    _connector="OR",
                ),
                name="incident_resolved_needs_determination",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(
                        ("merged_at__isnull", False),
                        ("status", 4),
                        models.Q(("merged_into", models.F("id")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="incident_merged_is_closed",
            ),
        ),
        migrations.AddField(
            model_name="incidentmove",
            name="made_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="incidentmove",
            name="source",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="moves_out", to="cases.incident"
            ),
        ),
        migrations.AddField(
            model_name="incidentmove",
            name="target",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="moves_in", to="cases.incident"
            ),
        ),
        migrations.AddField(
            model_name="incidentrelation",
            name="incident",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="relations",
                to="cases.incident",
            ),
        ),
        migrations.AddField(
            model_name="incidentrelation",
            name="other",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="relations_in",
                to="cases.incident",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentmove",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", models.F("target")), _negated=True), name="move_between_two"
            ),
        ),
        migrations.AddIndex(
            model_name="incidentrelation",
            index=models.Index(fields=["incident"], name="relation_incident"),
        ),
        migrations.AddIndex(
            model_name="incidentrelation",
            index=models.Index(fields=["other"], name="relation_other"),
        ),
        migrations.AddConstraint(
            model_name="incidentrelation",
            constraint=models.CheckConstraint(
                condition=models.Q(("incident", models.F("other")), _negated=True), name="relation_between_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentrelation",
            constraint=models.UniqueConstraint(
                django.db.models.functions.comparison.Least("incident", "other"),
                django.db.models.functions.comparison.Greatest("incident", "other"),
                models.F("kind"),
                name="relation_once",
            ),
        ),
    ]
