"""Programs as users; where an entry of the audit log came from; what of it is still to be sent to a receiver.

The trigger notes each new entry for each receiver in the transaction that writes it: nothing is missed, whichever
process writes and whatever its settings are."""

import django.db.models.deletion
from django.db import migrations, models

NOTE = """
CREATE FUNCTION soar_note_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_auditunsent (stream_id, entry_id) SELECT id, NEW.id FROM accounts_auditstream;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_note_unsent AFTER INSERT ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION soar_note_unsent();
"""
FORGET = """
DROP TRIGGER audit_note_unsent ON accounts_auditentry;
DROP FUNCTION soar_note_unsent();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_roles_audit_cache")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="is_service",
            field=models.BooleanField(
                db_default=False, default=False, help_text="A program: it has tokens, and nobody logs in as it"
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="request",
            field=models.CharField(
                blank=True, db_default="", help_text="Id of the request, as in the log", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="auditentry",
            name="via",
            field=models.CharField(
                blank=True, db_default="", help_text="Name of the API token that was used", max_length=120
            ),
        ),
        migrations.CreateModel(
            name="AuditStream",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, unique=True)),
                ("sent_at", models.DateTimeField(help_text="When it last took something", null=True)),
                ("failing_since", models.DateTimeField(null=True)),
                ("error", models.CharField(blank=True, db_default="", max_length=500)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="AuditUnsent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="unsent",
                        to="accounts.auditentry",
                    ),
                ),
                (
                    "stream",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, to="accounts.auditstream"
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="auditunsent",
            constraint=models.UniqueConstraint(fields=("stream", "entry"), name="audit_unsent_once"),
        ),
        migrations.RunSQL(NOTE, FORGET),
    ]
