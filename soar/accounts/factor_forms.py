"""The forms of second factors: a code works once, and every refusal is in the audit log (access.md 7)."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from soar.accounts import audit
from soar.accounts.models import User
from soar.lib.crypto import DecryptionError

UNREADABLE = gettext_noop("The key of this app cannot be read any more. Use another way, or ask an admin to reset it.")


class _Code:
    """Of a form with a code: once only, whatever the tolerance for clocks that are off."""

    user: User

    def clean_code(self) -> str:
        """The code. Raises ValidationError for one that is wrong or was used."""
        try:
            code = str(super().clean_code())  # type: ignore[misc]
        except DecryptionError:
            raise ValidationError(_(UNREADABLE)) from None
        found: Authenticator | None = getattr(self, "authenticator", None)  # none while an app is set up
        if (found is None or found.type == Authenticator.Type.TOTP) and not _first_time(self.user, code):
            self.refused("a code that was used")
            raise get_adapter().validation_error("incorrect_code")
        return code

    def _emit_authentication_failed(self, authenticator: Authenticator) -> None:
        self.refused("a wrong code")

    def refused(self, what: str) -> None:
        """Write it down."""


class ActivateForm(_Code, ActivateTOTPForm):  # type: ignore[misc]
    """Setting up an app: the code by which it was shown to work does not also sign anybody in."""


class CodeForm(_Code, AuthenticateForm):  # type: ignore[misc]
    """The second step of a login."""

    def refused(self, what: str) -> None:
        """The password was right: worth a look."""
        audit.record(None, "login.failed", self.user.username, step="second factor", reason=what)


class ConfirmCodeForm(_Code, ReauthenticateForm):  # type: ignore[misc]
    """Confirming that it is still the same person."""

    def refused(self, what: str) -> None:
        """Somebody at an open browser."""
        audit.record(self.user, "confirm.failed", self.user.username, reason=what)


class _Key:
    """Of a form with the answer of a security key."""

    user: User | None

    def clean_credential(self) -> Authenticator:
        """The key's row. Raises ValidationError for anything but a right answer to the question just asked."""
        if not isinstance(self.cleaned_data.get("credential"), dict):  # type: ignore[attr-defined]
            raise get_adapter().validation_error("incorrect_code")
        try:
            return cast(Authenticator, super().clean_credential())  # type: ignore[misc]
        except ValidationError:
            self.refused()
            raise
        except (AttributeError, KeyError, TypeError, ValueError):  # JSON of another shape than a key sends
            self.refused()
            raise get_adapter().validation_error("incorrect_code") from None

    def refused(self) -> None:
        """Write it down."""
        name = self.user.username if self.user else ""
        audit.record(None, "login.failed", name, step="second factor", reason="a key that is not right")


class KeyForm(_Key, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """The second step of a login, by a key."""


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new key: its name, and what it answered."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100, required=False)

    def clean(self) -> Any:
        """The answer has to be one to the question just asked."""
        try:
            return super().clean()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, ValidationError):
                raise
            raise get_adapter().validation_error("incorrect_code") from None


class RenameForm(EditWebAuthnForm):  # type: ignore[misc]
    """A key's name."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)


class PasskeyForm(_Key, LoginWebAuthnForm):  # type: ignore[misc]
    """A login by a passkey alone."""


class ConfirmKeyForm(_Key, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Confirming by a key."""

    def refused(self) -> None:
        """Somebody at an open browser."""
        assert self.user is not None
        audit.record(self.user, "confirm.failed", self.user.username, reason="a key that is not right")


def _first_time(user: User, code: str) -> bool:
    mark = hashlib.sha256(normalize_user_code(code).encode()).hexdigest()
    seconds = app_settings.TOTP_PERIOD * (2 * app_settings.TOTP_TOLERANCE + 1)
    return bool(cache.add(f"soar.accounts.code:{user.pk}:{mark}", 1, timeout=seconds))
