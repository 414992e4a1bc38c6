"""How django-allauth behaves here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from soar.accounts import audit, notices, sessions
from soar.accounts.actions.sessions import forget_other_sessions
from soar.accounts.models import LoginSession
from soar.lib.context import address

NOWHERE = "0.0.0.0"  # noqa: S104  who comes over a socket of the machine: all of them are one address


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by admins: nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The caller's address as the whole portal knows it (soar.middleware)."""
        return address.get() or NOWHERE

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write the refused login to the audit log (access.md 7), with the name that was tried."""
        super().authentication_failed(request, **credentials)
        audit.record(None, "login.failed", str(credentials.get("username") or "")[:150].replace("\x00", ""))

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """An answer to those who may not sign in, by whatever way: the deactivated, and programs."""
        if user.is_active and not user.is_service:
            return super().pre_login(request, user, **kwargs)
        audit.record(None, "login.failed", user.username, reason="deactivated" if not user.is_active else "a program")
        return self.respond_user_inactive(request, user)

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in, and note where."""
        super().login(request, user)
        sessions.begin(request, user)

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Write the login to the audit log, with what it was done by. For a while it counts as a confirmation too."""
        used = [str(one.get("type") or one["method"]) for one in get_authentication_records(request, user)]
        record_authentication(request, user, "login", reauthenticated=True)
        audit.record(user, "login", user.username, by=list(dict.fromkeys(used)))
        return super().post_login(request, user, **kwargs)

    def logout(self, request: HttpRequest) -> None:
        """Write the logout to the audit log."""
        user = request.user
        if user.is_authenticated:
            audit.record(user, "logout", user.username)
            LoginSession.objects.filter(key=request.session.session_key or "").delete()
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """A password that its owner changes, or sets anew by a link, is in the audit log (access.md 7)."""
        known = self.request is not None and self.request.user.is_authenticated
        with transaction.atomic():
            super().set_password(user, password)
            audit.record(user, "user.password_changed" if known else "user.password_reset", user.username)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """How the person can confirm that it is them: allauth's ways, and the provider for whoever comes by it."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if settings.OIDC_ISSUER and user.is_authenticated and user.socialaccount_set.exists():
            text = _("Continue with %s") % settings.OIDC_NAME
            found.append({"id": "oidc", "description": text, "url": reverse("oidc_confirm")})
        return found

    def send_notification_mail(self, template_prefix: str, user: Any, *args: Any, **kwargs: Any) -> None:
        """Called by allauth after each change of somebody's own means of signing in: tell them."""
        if template_prefix in ("account/email/password_changed", "account/email/password_set"):
            forget_other_sessions(self.request, user)
        notices.tell(user, template_prefix.rpartition("/")[2])
