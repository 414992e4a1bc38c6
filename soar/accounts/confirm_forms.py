"""Confirming by the password that it is still the same person."""

from __future__ import annotations

from allauth.account.forms import ReauthenticateForm
from django.core.exceptions import ValidationError

from soar.accounts import audit


class PasswordForm(ReauthenticateForm):  # type: ignore[misc]
    """allauth's; a wrong password is in the audit log."""

    def clean_password(self) -> str:
        """The password. Raises ValidationError for a wrong one."""
        try:
            return str(super().clean_password())
        except ValidationError:
            audit.record(self.user, "confirm.failed", self.user.username, reason="a wrong password")
            raise
