"""What the tests of signing in share: an authenticator app, and a browser that has just signed in."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.test import Client

from soar.accounts.models import User
from tests.factories import PASSWORD


def app_of(user: User) -> str:
    """Set up an authenticator app for the person; returns its key, which only the app knows."""
    key: str = generate_totp_secret()
    TOTP.activate(user, key)
    return key


def codes_of(user: User) -> list[str]:
    """Make recovery codes for the person."""
    found: list[str] = RecoveryCodes.activate(user).get_unused_codes()
    return found


def code_of(key: str, *, periods: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    shown: str = format_hotp_value(hotp_value(key, int(time.time()) // 30 + periods))
    return shown


def password_step(client: Client, user: User, password: str = PASSWORD, **more: str) -> Any:
    """Send name and password, as the sign-in page does."""
    return client.post("/accounts/login/", {"login": user.username, "password": password, **more})


def code_step(client: Client, code: str) -> Any:
    """Send the code of the second step."""
    return client.post("/accounts/2fa/authenticate/", {"code": code})


def signed_in(user: User) -> Client:
    """A browser in which the person has signed in by the form, a moment ago."""
    client = Client()
    assert password_step(client, user).status_code == 302
    assert is_in(client)
    return client


def age(client: Client, seconds: int) -> None:
    """Have the browser's login happened so long ago."""
    session = client.session
    for record in session[AUTHENTICATION_METHODS_SESSION_KEY]:
        record["at"] -= seconds
    session.save()


def is_in(client: Client) -> bool:
    """Whether pages open for this browser."""
    return client.get("/settings/profile/").status_code == 200


def factors(user: User) -> list[str]:
    """The kinds of second factors that the person has."""
    return sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))
