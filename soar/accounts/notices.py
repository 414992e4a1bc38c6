"""Mail about one's own account: a changed password, a second factor. Sent by a worker, if mail is set up."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from soar.accounts.models import User
from soar.lib.context import address
from soar.lib.queue import enqueue

TEXTS = {
    "password_changed": _("Your password was changed."),
    "password_set": _("A password was set for your account."),
    "password_reset": _("Your password was set anew by a link that was mailed to you."),
    "totp_activated": _("An authenticator app was set up as your second factor."),
    "totp_deactivated": _("The authenticator app was removed from your account."),
    "webauthn_added": _("A security key was added to your account."),
    "webauthn_removed": _("A security key was removed from your account."),
    "recovery_codes_generated": _("New recovery codes were made for your account; the old ones no longer work."),
    "factors_reset": _("An admin has removed all second factors from your account."),
}
ASK = _("If this was not you, tell an admin at once.")


def mail_is_ready() -> bool:
    """Whether the portal can send mail of its own."""
    return bool(import_string(settings.MAIL_READY)())


def tell(user: User, what: str) -> None:
    """Mail one of the texts to a person who has an address. Nothing happens without mail."""
    if what in TEXTS and user.email and user.is_active and mail_is_ready():
        enqueue("soar.accounts.notices.send", user.pk, what, address.get(), secrets.token_hex(8))


def send(pk: int, what: str, origin: str, key: str) -> None:
    """The worker's part. ``key`` names this one mail in every try."""
    user = User.objects.filter(pk=pk, is_active=True).exclude(email="").first()
    if user is None or not mail_is_ready():
        return
    came = gettext(" It came from %(origin)s.") % {"origin": origin} if origin else ""
    when = f"{timezone.now():%Y-%m-%d %H:%M} UTC"
    said = gettext("%(what)s This was on %(when)s.%(came)s %(ask)s")
    text = said % {"what": gettext(TEXTS[what]), "when": when, "came": came, "ask": gettext(ASK)}
    mail = import_string(settings.MAIL_SEND)
    mail(
        user.email,
        gettext("Your Soar account"),
        text,
        link=settings.SOAR_URL + "/settings/",
        label=gettext("Settings"),
        key=key,
    )
