"""What people are told: the inbox, what each chose, and what is sent by mail and chat (casework.md 19)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_noop as _

from cases.models.alert import Alert
from cases.models.incident import Incident
from soar.connectors.models import ConnectorAccount
from soar.lib.crypto import EncryptedTextField


class Notification(models.Model):
    """A line of a person's inbox. ``reason`` is one of ``cases.notifications.reasons``; ``key`` names what it is about,
    so that it is written once. ``entry`` is the timeline entry it comes from, None for a task that is due.

    Without alert and incident it stands for many alerts (``members``) that one person did the same with at one time.
    ``at`` is when something was last added. One that is not ``listed`` is only sent: its person wants the reason by
    mail or chat, but not in the inbox."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    reason = models.CharField(max_length=20)
    key = models.CharField(max_length=120)
    entry = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=40)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    actor_name = models.CharField(max_length=200, blank=True)
    data = models.JSONField(default=dict)
    listed = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "-id"], name="notification_inbox"),
            models.Index(fields=["user", "-id"], name="notification_unread", condition=Q(read_at=None, listed=True)),
            models.Index(fields=["alert"], name="notification_alert", condition=Q(alert__isnull=False)),
            models.Index(fields=["incident"], name="notification_incident", condition=Q(incident__isnull=False)),
            models.Index(fields=["at"], name="notification_age"),
        ]

    def __str__(self) -> str:
        return f"notification {self.pk}"


class NotificationMember(models.Model):
    """One of the alerts that a notification stands for, and the entry that told it."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="members", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="+")
    entry = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["notification", "entry"], name="notification_member_once")]

    def __str__(self) -> str:
        return f"member of notification {self.notification_id}"


class Channel(models.TextChoices):
    """By what a notification leaves the portal."""

    EMAIL = "email", _("E-mail")
    CHAT = "chat", _("Chat")


class NoticeState(models.TextChoices):
    """``skipped``: it was read meanwhile, may not be seen any more, or is not wanted any more."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Being sent")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


class NotificationDelivery(models.Model):
    """A notification on its way by a channel. ``mode``: at once, or with others (hourly, daily) when it is due.
    Those that go in one message share a ``batch``; while it is sent, ``due_at`` is when its worker is given up."""

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=5, choices=Channel.choices)
    mode = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    batch = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    said = models.TextField(blank=True, help_text="What came of the last try, in a sentence")
    due_at = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        verbose_name_plural = "notification deliveries"
        constraints = [models.UniqueConstraint(fields=["notification", "channel"], name="notification_sent_once")]
        indexes = [
            models.Index(fields=["due_at"], name="notification_due", condition=Q(state__in=["waiting", "sending"])),
            models.Index(fields=["user", "-id"], name="notification_log"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} of notification {self.notification_id}"


class NotificationSettings(models.Model):
    """What one person chose; without a row all is as ``cases.notifications.reasons`` has it.

    ``choices``: ``{reason: {"inbox": bool, "email": mode, "chat": mode}}``, only what differs. The hours are of the
    person's own time zone. ``chat_way``: "" (none), ``handle`` (a direct message through the Mattermost connector
    ``chat_account``), ``webhook`` (an incoming webhook of their own, of ``chat_kind``, kept encrypted)."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+")
    choices = models.JSONField(default=dict)
    digest_hour = models.PositiveSmallIntegerField(default=8)
    workdays_only = models.BooleanField(default=True)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    paused_until = models.DateTimeField(null=True, help_text="Until then nothing is sent; the inbox goes on")
    chat_way = models.CharField(max_length=8, blank=True)
    chat_kind = models.CharField(max_length=20, blank=True)
    chat_account = models.ForeignKey(ConnectorAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    chat_handle = models.CharField(max_length=100, blank=True)
    chat_url = EncryptedTextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1)
    updated_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "notification settings"

    def __str__(self) -> str:
        return f"notification settings of {self.user_id}"


class Watch(models.Model):
    """That a person follows an incident, or wants to hear nothing of an incident or alert; ``until`` then or ever."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    muted = models.BooleanField(help_text="Muted; otherwise followed")
    until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        verbose_name_plural = "watches"
        constraints = [
            models.UniqueConstraint(fields=["alert", "user"], name="watch_alert_once", condition=Q(incident=None)),
            models.UniqueConstraint(fields=["incident", "user"], name="watch_incident_once", condition=Q(alert=None)),
            models.CheckConstraint(
                condition=Q(alert=None, incident__isnull=False) | Q(alert__isnull=False, incident=None),
                name="watch_one_thing",
            ),
        ]
        indexes = [models.Index(fields=["user"], name="watch_user")]

    def __str__(self) -> str:
        return f"watch {self.pk}"
