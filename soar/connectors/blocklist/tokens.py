"""Tokens with which firewalls pull the feeds: one type each, shown once, stored as a digest."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.accounts.tokens import digest, new_token
from soar.connectors.blocklist.values import BLOCKABLE
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.models import FeedToken
from soar.lib import clock

USE_NOTED = timedelta(minutes=1)


def make(actor: User | None, type_: str, name: str) -> tuple[FeedToken, str]:
    """A new token for the feed of one type: its row, and itself in clear, never to be had again.

    Raises Forbidden, Refused by field."""
    _may(actor)
    errors = {}
    clean = " ".join(name.split())
    if type_ not in BLOCKABLE:
        errors["type"] = _("There are feeds of: %(blockable)s.") % {"blockable": ", ".join(BLOCKABLE)}
    if not 1 <= len(clean) <= 100 or not clean.isprintable():
        errors["name"] = _("A name has 1 to 100 printable characters.")
    if errors:
        raise Refused(errors)
    token, prefix, key = new_token("feed")
    by = actor.display_name() if actor else "Soar"
    with transaction.atomic():
        row = FeedToken.objects.create(type=type_, name=clean, prefix=prefix, digest=key, created_by=by)
        audit.record(actor, "feed_token.made", f"blocklist feed {row}", prefix=prefix)
    return row, token


def revoke(actor: User | None, token_id: int) -> FeedToken | None:
    """End a token at once; None if there is none. Raises Forbidden."""
    _may(actor)
    with transaction.atomic():
        row = FeedToken.objects.select_for_update().filter(pk=token_id).first()
        if row is not None and row.revoked_at is None:
            row.revoked_at = clock.now()
            row.save(update_fields=["revoked_at"])
            audit.record(actor, "feed_token.revoked", f"blocklist feed {row}", prefix=row.prefix)
    return row


def opens(type_: str, token: str) -> bool:
    """Whether the token opens the feed of this type; that it was used is noted, once a minute."""
    rows = FeedToken.objects.filter(digest=digest(token), type=type_, revoked_at__isnull=True)
    row = rows.only("pk").first() if token else None
    if row is None:
        return False
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=clock.now() - USE_NOTED)
    FeedToken.objects.filter(stale, pk=row.pk).update(last_used_at=clock.now())
    return True


def _may(actor: User | None) -> None:
    if actor is not None and not actor.has_perm("accounts.manage_connectors"):
        raise Forbidden(_("You may not manage the tokens of feeds."))
