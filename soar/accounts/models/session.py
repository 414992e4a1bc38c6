"""Where a person is signed in, so that they can see it and end it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

AGENT_AT_MOST = 300


class LoginSession(models.Model):
    """One browser in which somebody is signed in. The session itself is Django's; this is what is told of it.

    Written by soar.accounts.middleware, at most once a minute."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="login_sessions")
    key = models.CharField(max_length=40, help_text="Key of Django's session")
    agent = models.CharField(max_length=AGENT_AT_MOST, blank=True, help_text="What the browser calls itself")
    address = models.GenericIPAddressField(null=True)
    made_at = models.DateTimeField(db_default=models.functions.Now())
    seen_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        ordering = ["-seen_at"]
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["key"], name="login_session_key")]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.address}"
