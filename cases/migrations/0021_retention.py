"""Rules of retention and legal holds. What is on hold the database itself does not let go: its incident, the alerts in
it, their payloads, its evidence."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

GUARD = """
CREATE FUNCTION cases_refuse_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE held bigint;
BEGIN
    IF TG_TABLE_NAME = 'cases_incident' THEN held := OLD.id;
    ELSIF TG_TABLE_NAME = 'cases_alertpayload' THEN
        SELECT incident_id INTO held FROM cases_alert WHERE id = OLD.alert_id;
    ELSE held := OLD.incident_id;
    END IF;
    IF held IS NOT NULL AND EXISTS
            (SELECT 1 FROM cases_legalhold WHERE incident_id = held AND lifted_at IS NULL) THEN
        RAISE EXCEPTION 'INC-% is on legal hold: % of % refused', held, TG_OP, TG_TABLE_NAME USING ERRCODE = '55000';
    END IF;
    RETURN OLD;
END $$;
CREATE FUNCTION cases_refuse_hold_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.lifted_at IS NULL THEN
        RAISE EXCEPTION 'INC-% is on legal hold: DELETE refused', OLD.incident_id USING ERRCODE = '55000';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER hold_stays BEFORE DELETE ON cases_legalhold FOR EACH ROW EXECUTE FUNCTION cases_refuse_hold_delete();
CREATE TRIGGER incident_held BEFORE DELETE ON cases_incident FOR EACH ROW EXECUTE FUNCTION cases_refuse_held();
CREATE TRIGGER alert_held BEFORE DELETE ON cases_alert FOR EACH ROW EXECUTE FUNCTION cases_refuse_held();
CREATE TRIGGER payload_held BEFORE DELETE ON cases_alertpayload FOR EACH ROW EXECUTE FUNCTION cases_refuse_held();
CREATE TRIGGER evidence_held BEFORE DELETE ON cases_evidence FOR EACH ROW EXECUTE FUNCTION cases_refuse_held();
"""
UNGUARD = """
DROP TRIGGER hold_stays ON cases_legalhold;
DROP FUNCTION cases_refuse_hold_delete();
DROP TRIGGER incident_held ON cases_incident;
DROP TRIGGER alert_held ON cases_alert;
DROP TRIGGER payload_held ON cases_alertpayload;
DROP TRIGGER evidence_held ON cases_evidence;
DROP FUNCTION cases_refuse_held();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0020_alert_messages")]

    operations = [
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("placed_by", models.CharField(max_length=200)),
                ("placed_at", models.DateTimeField()),
                ("lifted_by", models.CharField(blank=True, max_length=200)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lift_reason", models.TextField(blank=True)),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="holds", to="cases.incident"
                    ),
                ),
            ],
            options={"ordering": ["-id"], "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="legalhold",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)), fields=("incident",), name="hold_one_active"
            ),
        ),
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("what", models.CharField(max_length=20)),
                ("days", models.PositiveIntegerField()),
                (
                    "severities",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("enabled", models.BooleanField(default=False)),
                ("changed_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("position", models.BigIntegerField(default=0)),
                ("started_at", models.DateTimeField(help_text="When the pass under way began", null=True)),
                ("finished_at", models.DateTimeField(help_text="When the last pass ended", null=True)),
                (
                    "deleted_now",
                    models.BigIntegerField(default=0, help_text="By the pass under way, or by the last one"),
                ),
                ("deleted", models.BigIntegerField(default=0, help_text="In all")),
                ("error", models.TextField(blank=True, help_text="What the last pass could not delete, and why")),
                (
                    "source",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="cases.alertsource",
                    ),
                ),
            ],
            options={"ordering": ["id"], "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="retentionrule",
            constraint=models.CheckConstraint(condition=models.Q(("days__gt", 0)), name="retention_days"),
        ),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
