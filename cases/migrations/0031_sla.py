"""Clocks of incidents, their pauses and the policy. New columns have a default of the database, so no row is rewritten;
the clocks of incidents that are there already are made by the worker, in batches."""

import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_grant_job"),
        ("cases", "0030_evidence_moves"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IncidentClock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        choices=[("acknowledge", "Acknowledge"), ("contain", "Contain"), ("resolve", "Resolve")],
                        max_length=12,
                    ),
                ),
                ("round", models.PositiveIntegerField(default=1)),
                ("started_at", models.DateTimeField()),
                ("target", models.PositiveIntegerField(help_text="Minutes", null=True)),
                ("warn_at", models.DateTimeField(null=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("stopped_at", models.DateTimeField(null=True)),
                ("seconds", models.FloatField(help_text="Working time that it took", null=True)),
                ("risk_told_at", models.DateTimeField(null=True)),
                ("breach_told_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="IncidentPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("reason", models.TextField()),
                ("paused_by", models.CharField(max_length=200)),
                ("resumed_by", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="SlaPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("targets", models.JSONField()),
                ("hours", models.JSONField()),
                ("time_zone", models.CharField(max_length=60)),
                (
                    "holidays",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=10), size=None),
                ),
                ("warn_percent", models.PositiveSmallIntegerField()),
                ("version", models.PositiveIntegerField()),
                ("changed_by", models.CharField(max_length=200)),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="incident",
            name="sla_due_at",
            field=models.DateTimeField(
                db_default=datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.UTC),
                default=datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.UTC),
                help_text="When the next target is due; the year 9999: none",
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="sla_missed",
            field=models.BooleanField(db_default=False, default=False, help_text="A clock stopped after it was due"),
        ),
        migrations.AddField(
            model_name="incident",
            name="sla_paused_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="incident",
            name="sla_risk_at",
            field=models.DateTimeField(
                db_default=datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.UTC),
                default=datetime.datetime(9999, 12, 31, 0, 0, tzinfo=datetime.UTC),
                help_text="When the first clock is at risk",
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="sla_version",
            field=models.PositiveIntegerField(help_text="Of the policy; null: without clocks until now", null=True),
        ),
        migrations.AddField(
            model_name="incidentclock",
            name="incident",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="clocks", to="cases.incident"
            ),
        ),
        migrations.AddField(
            model_name="incidentpause",
            name="incident",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="cases.incident"
            ),
        ),
        migrations.AddConstraint(
            model_name="slapolicy",
            constraint=models.CheckConstraint(condition=models.Q(("pk", 1)), name="sla_policy_one"),
        ),
        migrations.AddIndex(
            model_name="incidentclock",
            index=models.Index(
                condition=models.Q(("risk_told_at", None), ("stopped_at", None), ("warn_at__isnull", False)),
                fields=["warn_at"],
                name="sla_clock_warn",
            ),
        ),
        migrations.AddIndex(
            model_name="incidentclock",
            index=models.Index(
                condition=models.Q(("breach_told_at", None), ("due_at__isnull", False), ("stopped_at", None)),
                fields=["due_at"],
                name="sla_clock_due",
            ),
        ),
        migrations.AddIndex(
            model_name="incidentclock",
            index=models.Index(
                condition=models.Q(("stopped_at__isnull", False)), fields=["stopped_at"], name="sla_clock_stopped"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentclock",
            constraint=models.UniqueConstraint(fields=("incident", "name", "round"), name="sla_clock_round"),
        ),
        migrations.AddConstraint(
            model_name="incidentclock",
            constraint=models.UniqueConstraint(
                condition=models.Q(("stopped_at", None)), fields=("incident", "name"), name="sla_clock_runs"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentclock",
            constraint=models.CheckConstraint(
                condition=models.Q(("stopped_at", None), ("stopped_at__gte", models.F("started_at")), _connector="OR"),
                name="sla_clock_forward",
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentpause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)), fields=("incident",), name="sla_pause_one"
            ),
        ),
        migrations.AddConstraint(
            model_name="incidentpause",
            constraint=models.CheckConstraint(
                condition=models.Q(("ended_at", None), ("ended_at__gte", models.F("started_at")), _connector="OR"),
                name="sla_pause_forward",
            ),
        ),
    ]
