"""How second factors behave here: their secrets are encrypted, and one that a role asks for cannot be taken off."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils.translation import gettext, gettext_lazy

from soar.accounts.second_factor import is_asked_of, is_last
from soar.lib import crypto


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Setting ``MFA_ADAPTER``."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": gettext_lazy("A role of yours asks for a second factor. Set up another first."),
        "incorrect_code": gettext_lazy("That is not right, or was used before."),
    }

    def encrypt(self, text: str) -> str:
        """Cipher text of the secret of an app, or of the seed of recovery codes."""
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """The secret. Raises crypto.DecryptionError when its key is gone."""
        return crypto.decrypt(encrypted_text)

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Not the last one of a person whose role asks for one."""
        return not (is_last(authenticator) and is_asked_of(authenticator.user))

    def get_totp_label(self, user: Any) -> str:
        """What an authenticator app shows: the name, and the host where it is valid."""
        return f"{user.username}@{context.request.get_host().partition(':')[0]}"

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:
        """What a key is called before its owner says so."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return str(gettext("Key %s") % number)

    def _get_user_identifier(self, user: Any) -> str:
        return str(user.username)


def rotate() -> int:
    """Encrypt the secrets of all apps and recovery codes anew with the newest key; returns how many. Raises
    crypto.DecryptionError at the first that cannot be read."""
    return sum(_rotate(pk) for pk in Authenticator.objects.exclude(type="webauthn").values_list("pk", flat=True))


@transaction.atomic
def _rotate(pk: int) -> int:
    row = Authenticator.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        return 0
    secrets = {name: row.data[name] for name in ("secret", "seed") if name in row.data}
    row.data |= {name: crypto.encrypt(crypto.decrypt(cipher)) for name, cipher in secrets.items()}
    row.save(update_fields=["data"])
    return len(secrets)
