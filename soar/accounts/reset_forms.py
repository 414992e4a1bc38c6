"""Forgotten passwords: asking for a link, and the link itself (django-allauth's pages)."""

from __future__ import annotations

import secrets
from typing import Any

from allauth.account.forms import UserTokenForm
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.lib.queue import enqueue


class ResetForm(forms.Form):
    """Whatever the address is, the same is done here, in the same time: a worker looks whose it is."""

    email = forms.EmailField(label=_("E-mail"), max_length=254, widget=forms.EmailInput({"autocomplete": "email"}))

    def save(self, request: HttpRequest, **_more: Any) -> str:
        """Leave it to a worker."""
        email = str(self.cleaned_data["email"])
        audit.record(None, "user.reset_asked", email)
        enqueue("soar.accounts.reset.send_links", email, secrets.token_hex(8))
        return email


class LinkForm(UserTokenForm):  # type: ignore[misc]
    """The link of a mail: once, for an hour, and only for whoever can still sign in by a password."""

    def _get_user(self, uidb36: str) -> User | None:
        user: User | None = super()._get_user(uidb36)
        return user if user and user.is_active and not user.is_service and user.has_usable_password() else None
