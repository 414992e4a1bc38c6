"""How django-allauth behaves here."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by admins: nobody signs up by themselves."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always False."""
        return False

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write the refused login to the audit log (access.md 7), with the name that was tried."""
        from soar.accounts import audit

        super().authentication_failed(request, **credentials)
        name = str(credentials.get("username") or "")[:150].replace("\x00", "")
        audit.record(None, "login.failed", name, address=self.get_client_ip(request))

    def post_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> Any:
        """Write the login to the audit log."""
        from soar.accounts import audit

        audit.record(user, "login", user.username, address=self.get_client_ip(request))
        return super().post_login(request, user, **kwargs)

    def logout(self, request: HttpRequest) -> None:
        """Write the logout to the audit log."""
        from soar.accounts import audit

        user = request.user
        if user.is_authenticated:
            audit.record(user, "logout", user.username, address=self.get_client_ip(request))
        super().logout(request)

    def set_password(self, user: Any, password: str) -> None:
        """A password that its owner changes is a changed secret: it is in the audit log (access.md 7)."""
        from soar.accounts import audit

        with transaction.atomic():
            super().set_password(user, password)
            audit.record(user, "user.password_changed", user.username)
