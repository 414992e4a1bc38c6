"""Every change of an alert source and its tokens, each with its row in the audit log (ingest-and-api.md 1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actions.manual import HAND_SOURCE
from cases.actions.source_access import locked_source
from cases.actions.source_fields import checked
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from cases.ingest.registry import KINDS
from cases.models import AlertSource, SourceToken
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.tokens import new_token

OVERLAP_AT_MOST = 24 * 30
DAYS_AT_MOST = 3650  # that a token works
DELIVERS = {"both": "endpoint,email"}
# Slugs that stand for something else: a page, and the source of alerts made by hand.
RESERVED = {"new", "dead-letters", HAND_SOURCE}
# Kinds whose "resolved" messages are part of their normal life (ingest-and-api.md 2).
CLOSE_BY_DEFAULT = ("alertmanager", "grafana")


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any]) -> tuple[AlertSource, str]:
    """Make a source with its first token, which is returned in clear this once. ``fields``: name, kind, token_days (how
    long the token works; None: until it is revoked) and those of ``source_fields.FIELDS``. Raises Refused beside the
    field that is wrong, Forbidden."""
    _may_manage(actor)
    given = dict(fields)
    ends = _ends(given.pop("token_days", None), "token_days")
    kind = _kind(given.pop("kind", ""))
    name = _free_name(given.pop("name", ""))
    preset = {
        "delivers": DELIVERS.get(KINDS[kind].delivers, KINDS[kind].delivers),
        "close_on_resolved": kind in CLOSE_BY_DEFAULT,
    }
    source = AlertSource(name=name, slug=_slug(name), kind=kind, **{**preset, **checked(given)})
    _saved(source)
    token = _add_token(source, ends)
    audit.record(actor.user, "source.created", source.slug, name=name, kind=kind)
    return source, token


@transaction.atomic
def update(actor: Actor, slug: str, *, fields: dict[str, Any]) -> AlertSource:
    """Change the name and the fields given; the kind and the slug stay. What changed is in the audit log, secrets
    by name only. Raises Refused beside the field that is wrong, Missing, Forbidden."""
    source = locked_source(actor, slug)
    given = dict(fields)
    new = checked({key: value for key, value in given.items() if key != "name"})
    if "name" in given:
        new["name"] = _free_name(given["name"], but=source)
    changed = {name: value for name, value in new.items() if getattr(source, name) != value}
    for name, value in changed.items():
        setattr(source, name, value)
    if changed:
        _saved(source, list(changed))
        audit.record(actor.user, "source.changed", source.slug, fields=sorted(changed))
    return source


@transaction.atomic
def set_enabled(actor: Actor, slug: str, enabled: bool) -> AlertSource:
    """Switch a source on or off; off, it refuses all deliveries. Twice changes nothing."""
    source = locked_source(actor, slug)
    if source.enabled != enabled:
        source.enabled = enabled
        source.save(update_fields=["enabled"])
        audit.record(actor.user, "source.enabled" if enabled else "source.disabled", source.slug)
    return source


@transaction.atomic
def rotate_token(
    actor: Actor, slug: str, *, overlap_hours: int = 24, days: int | None = None
) -> tuple[AlertSource, str]:
    """Make a new token; those that work now end after the overlap (0: at once). The new one works for so many ``days``;
    None: until it is revoked. Returns it in clear.

    Raises Refused for an overlap that is not 0 to 720 hours, and for other days than 1 to 3650."""
    ends = _ends(days, "days")
    if not 0 <= overlap_hours <= OVERLAP_AT_MOST:
        raise Refused(
            _("The overlap is 0 to %(overlap_at_most)s hours.") % {"overlap_at_most": OVERLAP_AT_MOST},
            field="overlap_hours",
        )
    source = locked_source(actor, slug)
    now = timezone.now()
    until = now + timedelta(hours=overlap_hours)
    for token in usable_tokens(source):
        if not overlap_hours:
            token.revoked_at = now
        elif token.expires_at is None or token.expires_at > until:
            token.expires_at = until
        token.save(update_fields=["expires_at", "revoked_at"])
    secret = _add_token(source, ends)
    audit.record(actor.user, "source.token_rotated", source.slug, overlap_hours=overlap_hours, days=days)
    return source, secret


@transaction.atomic
def revoke_token(actor: Actor, slug: str, token_id: int) -> AlertSource:
    """Make one token useless at once. Twice changes nothing. Raises Missing for a token of another source."""
    source = locked_source(actor, slug)
    token = source.tokens.filter(pk=token_id).first()
    if token is None:
        raise Missing(_("There is no such token of this source."))
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
        audit.record(actor.user, "source.token_revoked", source.slug, prefix=token.prefix)
    return source


def usable_tokens(source: AlertSource) -> list[SourceToken]:
    """The tokens that a delivery may bear now."""
    now = timezone.now()
    tokens = source.tokens.filter(revoked_at=None)
    return [token for token in tokens if token.expires_at is None or token.expires_at > now]


def _may_manage(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_sources"):
        raise Forbidden(_("The permission to manage alert sources is missing."))


def _kind(value: Any) -> str:
    if value not in KINDS:
        raise Refused(_("Kind is one of: %(kinds)s.") % {"kinds": ", ".join(KINDS)}, field="kind")
    return str(value)


def _free_name(value: Any, but: AlertSource | None = None) -> str:
    name = text_of(value, "name", most=100)
    others = AlertSource.objects.filter(name__iexact=name)
    if (others.exclude(pk=but.pk) if but else others).exists():
        raise Refused(_("There is a source of this name already."), field="name")
    return name


def _slug(name: str) -> str:
    """The name as a part of a URL; a number behind it where it is taken."""
    plain = slugify(name)[:50] or "source"
    taken = RESERVED | set(AlertSource.objects.filter(slug__startswith=plain).values_list("slug", flat=True))
    number, slug = 1, plain
    while slug in taken:
        number += 1
        slug = f"{plain}-{number}"
    return slug


def _saved(source: AlertSource, fields: list[str] | None = None) -> None:
    """Of two people who take one name at the same moment the database lets one through."""
    try:
        with transaction.atomic():
            source.save(update_fields=fields)
    except IntegrityError as error:
        raise Refused(_("There is a source of this name already."), field="name") from error


def _ends(days: int | None, field: str) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= DAYS_AT_MOST:
        raise Refused(
            _("A token works for 1 to %(days_at_most)s days, or until it is revoked.") % {"days_at_most": DAYS_AT_MOST},
            field=field,
        )
    return timezone.now() + timedelta(days=days)


def _add_token(source: AlertSource, ends: datetime | None) -> str:
    secret, prefix, digest = new_token("src")
    SourceToken.objects.create(source=source, prefix=prefix, digest=digest, expires_at=ends)
    return secret
