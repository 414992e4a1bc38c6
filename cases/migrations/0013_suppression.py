import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles_audit_cache"),
        ("cases", "0012_dead_letters_mapping"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SourceWatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("listened", models.FloatField(default=0)),
                ("at", models.DateTimeField(null=True)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="SuppressionGeneration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="SuppressionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("reason", models.TextField(help_text="Why these alerts need not be looked at")),
                ("conditions", models.JSONField(default=dict)),
                ("all_teams", models.BooleanField(default=False)),
                ("enabled", models.BooleanField(default=True)),
                ("expires_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=200)),
                (
                    "releasing",
                    models.BooleanField(default=False, help_text="What it held back is being put into the queue"),
                ),
                ("changed_by", models.CharField(max_length=200)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("version", models.PositiveIntegerField(default=1)),
                ("held", models.BigIntegerField(default=0)),
                ("repeats", models.BigIntegerField(default=0)),
                ("last_hit_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={"ordering": ["-id"], "default_permissions": ()},
        ),
        migrations.AddField(
            model_name="alert",
            name="suppression",
            field=models.ForeignKey(
                db_index=False,
                help_text="The rule that holds it back from the queue",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="alerts",
                to="cases.suppressionrule",
            ),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="silence_warns",
            field=models.BooleanField(
                default=True, db_default=True, help_text="Warn when it is silent for too long (rulings 19)"
            ),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="silence_minutes",
            field=models.PositiveIntegerField(blank=True, help_text="Too long; empty: as it is learnt", null=True),
        ),
        migrations.AddField(
            model_name="alertsource",
            name="silent_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(model_name="alertsource", name="heard_first", field=models.FloatField(null=True)),
        migrations.AddField(model_name="alertsource", name="heard_last", field=models.FloatField(null=True)),
        migrations.AddField(model_name="alertsource", name="usual_pause", field=models.FloatField(null=True)),
    ]
