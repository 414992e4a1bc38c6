"""Who comes by single sign-on: known by the provider's subject, or by an address that both sides have confirmed."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.actions.oidc import take_over_claims
from soar.accounts.models import User
from soar.accounts.second_factor import VOUCHED

CONFIRM_SECONDS = 120  # that a login at the provider may be old when it is to confirm something


class Adapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Setting ``SOCIALACCOUNT_ADAPTER``."""

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Find the person, or answer why nobody signs in."""
        if sociallogin.state.get("process") == AuthProcess.REDIRECT:
            return self._confirm(request, sociallogin)
        if not sociallogin.is_existing:
            self._find(request, sociallogin)
        if sociallogin.is_existing:
            take_over_claims(sociallogin.user, sociallogin.claims)
            sociallogin.user.refresh_from_db()
            _vouch(request, sociallogin.user)
        return None

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Whether people who are not known yet are made."""
        return bool(settings.OIDC_NEW_PEOPLE)

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Make the person, without a password, with the roles and teams that the claims say."""
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            audit.record(None, "user.created", user.username, by="single sign-on", subject=sociallogin.account.uid)
            take_over_claims(user, sociallogin.claims)
        _vouch(request, user)
        return user

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        """Write it down, and answer with a page that says so."""
        if error == AuthError.CANCELLED:
            raise ImmediateHttpResponse(_said(request, _("You have cancelled it. Nothing has happened.")))
        reason = str(exception) if exception else "an answer that was not asked for"
        audit.record(None, "login.failed", "", by="single sign-on", reason=reason[:300])
        text = _("%s cannot be reached, or its answer cannot be trusted. Try again; if it stays so, tell an admin.")
        raise ImmediateHttpResponse(_said(request, text % settings.OIDC_NAME, 502 if exception else 400))

    def _find(self, request: HttpRequest, sociallogin: Any) -> None:
        """A person who signs in this way for the first time."""
        email = confirmed_email(sociallogin.claims)
        user = _known_by(email)
        if user is not None:
            sociallogin.connect(request, user)
            audit.record(user, "user.oidc_linked", user.username, subject=sociallogin.account.uid)
        elif (left := _deactivated(email)) is not None:
            audit.record(None, "login.failed", left.username, by="single sign-on", reason="deactivated")
            raise ImmediateHttpResponse(redirect("account_inactive"))
        elif not settings.OIDC_NEW_PEOPLE:
            audit.record(None, "login.failed", email, by="single sign-on", reason="not known here")
            text = _("You are signed in at %s, but you have no account here. Ask an admin for one.")
            raise ImmediateHttpResponse(_said(request, text % settings.OIDC_NAME, 403))
        else:
            # An address that somebody has here, or that nobody has confirmed, is not taken over.
            taken = User.objects.filter(email__iexact=email).exists()
            sociallogin.user.email = "" if taken else email
            sociallogin.email_addresses = []

    def _confirm(self, request: HttpRequest, sociallogin: Any) -> None:
        """Somebody who is signed in has shown once more that it is them (soar.accounts.fresh)."""
        user, at = request.user, sociallogin.claims.get("auth_time")
        same = user.is_authenticated and sociallogin.is_existing and sociallogin.user.pk == user.pk
        recent = isinstance(at, int | float) and time.time() - at < CONFIRM_SECONDS
        if not (same and recent):
            reason = "an old login" if same else "another person"
            audit.record(user if isinstance(user, User) else None, "confirm.failed", str(user), reason=reason)
            text = _("%s did not confirm that it is you, just now.")
            raise ImmediateHttpResponse(_said(request, text % settings.OIDC_NAME, 403))
        record_authentication(request, user, "socialaccount", reauthenticated=True)


def confirmed_email(claims: dict[str, Any]) -> str:
    """The address that the provider has confirmed, else "". Only the word true will do."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return ""
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email[:254]


def _vouch(request: HttpRequest, user: User) -> None:
    if settings.OIDC_SECOND_FACTOR:
        request.session[VOUCHED] = user.pk


def _known_by(email: str) -> User | None:
    """The one active person whose address this is. One that somebody has given themselves is not believed."""
    if not email:
        return None
    unsure = EmailAddress.objects.filter(user=OuterRef("pk"), email__iexact=email, verified=False)
    people = User.objects.filter(~Exists(unsure), email__iexact=email, is_active=True, is_service=False)
    found = list(people[:2])
    return found[0] if len(found) == 1 else None


def _deactivated(email: str) -> User | None:
    """Somebody deactivated with this address, confirmed here or not: they do not come back as a new person."""
    return User.objects.filter(email__iexact=email, is_active=False).first() if email else None


def _said(request: HttpRequest, text: str, status: int = 200) -> HttpResponse:
    context = {"text": text, "next": request.GET.get(REDIRECT_FIELD_NAME, "")}
    return render(request, "accounts/oidc_refused.html", context, status=status)
