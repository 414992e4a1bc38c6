"""What the sign-in page offers beside name and password: ``{% load sign_in %}``."""

from __future__ import annotations

from django.conf import settings
from django.template import Library

from soar.accounts import notices

register = Library()


@register.simple_tag
def provider_name() -> str:
    """What single sign-on is called, "" while there is none."""
    return str(settings.OIDC_NAME) if settings.OIDC_ISSUER else ""


@register.simple_tag
def mail_is_ready() -> bool:
    """Whether a new password can be had by mail."""
    return notices.mail_is_ready()
