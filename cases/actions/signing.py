"""Replacing the key that signs exports (rulings 14)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Forbidden
from cases.models import SigningKey
from cases.signing import alone, new_key
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock


@transaction.atomic
def rotate(actor: Actor) -> SigningKey:
    """Make a new key and retire the one in use: its private half is deleted, its public half stays, so that what it
    signed can still be checked. Raises Forbidden without the permission to manage settings."""
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))
    alone()
    old = SigningKey.objects.select_for_update().filter(active=True).first()
    if old is not None:
        old.active, old.private_key, old.retired_at = False, None, clock.now()
        old.save(update_fields=["active", "private_key", "retired_at"])
    made = new_key(actor.name)
    audit.record(actor.user, "signing_key.rotated", made.key_id, replaced=old.key_id if old else None)
    return made
