"""Inbox, preferences, and what is sent of it by mail and chat."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import soar.lib.crypto


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_grant_job"),
        ("cases", "0028_technique_indexes"),
        ("connectors", "0009_grants"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Notification",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=20)),
                ("key", models.CharField(max_length=120)),
                ("entry", models.BigIntegerField(null=True)),
                ("kind", models.CharField(max_length=40)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("data", models.JSONField(default=dict)),
                ("listed", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField()),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.alert",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.incident",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NotificationDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("channel", models.CharField(choices=[("email", "E-mail"), ("chat", "Chat")], max_length=5)),
                ("mode", models.CharField(max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("sending", "Being sent"),
                            ("sent", "Sent"),
                            ("failed", "Failed"),
                            ("skipped", "Skipped"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("batch", models.UUIDField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("said", models.TextField(blank=True, help_text="What came of the last try, in a sentence")),
                ("due_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "notification",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="cases.notification"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "notification deliveries",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NotificationMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry", models.BigIntegerField()),
                (
                    "alert",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="cases.alert"),
                ),
                (
                    "notification",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="cases.notification",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="NotificationSettings",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("choices", models.JSONField(default=dict)),
                ("digest_hour", models.PositiveSmallIntegerField(default=8)),
                ("workdays_only", models.BooleanField(default=True)),
                ("quiet_from", models.TimeField(null=True)),
                ("quiet_until", models.TimeField(null=True)),
                (
                    "paused_until",
                    models.DateTimeField(help_text="Until then nothing is sent; the inbox goes on", null=True),
                ),
                ("chat_way", models.CharField(blank=True, max_length=8)),
                ("chat_kind", models.CharField(blank=True, max_length=20)),
                ("chat_handle", models.CharField(blank=True, max_length=100)),
                ("chat_url", soar.lib.crypto.EncryptedTextField(blank=True, default="")),
                ("version", models.PositiveIntegerField(default=1)),
                ("updated_at", models.DateTimeField()),
                (
                    "chat_account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="connectors.connectoraccount",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "notification settings",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Watch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("muted", models.BooleanField(help_text="Muted; otherwise followed")),
                ("until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                (
                    "alert",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.alert",
                    ),
                ),
                (
                    "incident",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="cases.incident",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "watches",
                "default_permissions": (),
            },
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["user", "-id"], name="notification_inbox"),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("listed", True), ("read_at", None)),
                fields=["user", "-id"],
                name="notification_unread",
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("alert__isnull", False)), fields=["alert"], name="notification_alert"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(
                condition=models.Q(("incident__isnull", False)), fields=["incident"], name="notification_incident"
            ),
        ),
        migrations.AddIndex(
            model_name="notification",
            index=models.Index(fields=["at"], name="notification_age"),
        ),
        migrations.AddConstraint(
            model_name="notification",
            constraint=models.UniqueConstraint(fields=("user", "key"), name="notification_once"),
        ),
        migrations.AddIndex(
            model_name="notificationdelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["waiting", "sending"])), fields=["due_at"], name="notification_due"
            ),
        ),
        migrations.AddIndex(
            model_name="notificationdelivery",
            index=models.Index(fields=["user", "-id"], name="notification_log"),
        ),
        migrations.AddConstraint(
            model_name="notificationdelivery",
            constraint=models.UniqueConstraint(fields=("notification", "channel"), name="notification_sent_once"),
        ),
        migrations.AddConstraint(
            model_name="notificationmember",
            constraint=models.UniqueConstraint(fields=("notification", "entry"), name="notification_member_once"),
        ),
        migrations.AddIndex(
            model_name="watch",
            index=models.Index(fields=["user"], name="watch_user"),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("incident", None)), fields=("alert", "user"), name="watch_alert_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("alert", None)), fields=("incident", "user"), name="watch_incident_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="watch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("alert", None), ("incident__isnull", False)),
                    models.Q(("alert__isnull", False), ("incident", None)),
                    _connector="OR",
                ),
                name="watch_one_thing",
            ),
        ),
    ]
