"""The mails with links to set a password anew. Called by workers."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from soar.accounts.models import User
from soar.accounts.notices import mail_is_ready

MOST_PEOPLE = 5  # who share one address


def send_links(email: str, key: str) -> None:
    """Mail a link to each active person with this address who has a password. ``key`` names the mails in every try."""
    if not mail_is_ready():
        return
    mail = import_string(settings.MAIL_SEND)
    for user in _people(email):
        own = f"{key}.{user.pk}"
        mail(user.email, _("Set a new password"), _text(user), link=link_of(user), label=_("New password"), key=own)


def link_of(user: User) -> str:
    """An address at which the password can be set once. Its host is the portal's own, whatever a request said."""
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
    return f"{settings.SOAR_URL}{path.replace('UID-KEY', key)}"


def _people(email: str) -> list[User]:
    found = User.objects.filter(email__iexact=email, is_active=True, is_service=False).order_by("pk")[:MOST_PEOPLE]
    return [user for user in found if user.has_usable_password()]


def _text(user: User) -> str:
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    return _(
        "Somebody, probably you, asked for a new password for the user %(name)s. The link works once, for %(minutes)s "
        "minutes. If it was not you, nothing has changed, and you need not do anything."
    ) % {"name": user.username, "minutes": minutes}
