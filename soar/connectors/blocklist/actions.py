"""Every change of the block list: rights, checks, the row and its audit line together (connectors.md 4)."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.blocklist.values import blockable
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.intelligence.lookup import look_up, reason_of
from soar.connectors.intelligence.values import digest
from soar.connectors.models import BlockEntry, ExceptionEntry
from soar.lib import clock

LONGEST = timedelta(days=3650)


def add(
    actor_name: str,
    user: User | None,
    type_: str,
    value: str,
    *,
    reason: str,
    days: int | None = None,
    reference: str = "",
) -> tuple[BlockEntry, bool]:
    """Block a value for ``days`` (None: for good). Returns the entry and whether it is new.

    ``actor_name`` is shown as who did it; ``user`` None is Soar itself (a playbook whose rights were checked).
    What is blocked already stays, at least until the later of both ends. Raises Forbidden, and Refused by field: for a
    value that cannot be blocked, and for one that the exceptions or a benign list protect, with their reason."""
    _may(user)
    kind, text = blockable(type_, value)
    why, ends = _reason(reason, needed=True), _end(days)
    if protection := protected(kind, text):
        raise Refused(
            {"value": _("%(text)s is not blocked: %(protection)s") % {"text": text[:200], "protection": protection}}
        )
    entry = BlockEntry(type=kind, value=text, digest=digest(kind, text), reason=why, reference=reference.strip()[:200])
    entry.network = text if kind in {"ip", "cidr"} else None
    entry.user, entry.added_by, entry.created_at, entry.expires_at = user, actor_name[:200], clock.now(), ends
    with transaction.atomic():
        return _put(entry, user)


def remove(
    actor_name: str, user: User | None, type_: str, value: str, *, reason: str = "", reference: str = ""
) -> BlockEntry | None:
    """Take a value off; None if it is not on the list. Raises Forbidden, Refused (a value that cannot stand there)."""
    _may(user)
    kind, text = blockable(type_, value)
    why = " ".join(filter(None, (_reason(reason), reference.strip()[:200])))
    with transaction.atomic():
        row = _current(digest(kind, text))
        return _take_off(row, actor_name, user, why) if row else None


def remove_entry(actor_name: str, user: User | None, entry_id: int, *, reason: str = "") -> BlockEntry | None:
    """Take the entry with this id off; None if there is none, or it is gone already. Raises Forbidden, Refused."""
    _may(user)
    why = _reason(reason)
    with transaction.atomic():
        rows = BlockEntry.objects.select_for_update(of=("self",))
        row = rows.filter(pk=entry_id, removed_at__isnull=True).first()
        return _take_off(row, actor_name, user, why) if row else None


def protected(kind: str, text: str) -> str:
    """Why the exceptions or a benign list forbid to block this normalised value; "" if they do not."""
    if found := reason_of(look_up([(kind, text)])[kind, text]):
        return found
    return _exception_inside(text) if kind == "cidr" else ""


def _exception_inside(network: str) -> str:
    """A network that holds an exception would block it too."""
    outer = ipaddress.ip_network(network)
    living = Q(expires_at__isnull=True) | Q(expires_at__gt=clock.now())
    for row in ExceptionEntry.objects.filter(living, type__in=("ip", "cidr")).order_by("pk").iterator():
        inner = ipaddress.ip_network(row.value)
        if inner.version == outer.version and inner.subnet_of(outer):  # type: ignore[arg-type]
            return _("It holds %(value)s, which is on the exception list: %(reason)s") % {
                "value": row.value,
                "reason": row.reason,
            }
    return ""


def _put(entry: BlockEntry, user: User | None) -> tuple[BlockEntry, bool]:
    row = _current(entry.digest)
    if row is not None and (row.expires_at is None or row.expires_at > entry.created_at):
        return _extended(row, entry, user), False
    if row is not None:  # expired: it stays as a record and makes room
        row.removed_at, row.removed_by, row.removal_reason = row.expires_at, "Soar", "Expired"
        row.save(update_fields=["removed_at", "removed_by", "removal_reason"])
    # One statement: of two at once, one makes the row and both get it.
    BlockEntry.objects.bulk_create([entry], ignore_conflicts=True)
    made = BlockEntry.objects.select_for_update(of=("self",)).get(digest=entry.digest, removed_at__isnull=True)
    if (made.created_at, made.added_by, made.reason) != (entry.created_at, entry.added_by, entry.reason):
        return _extended(made, entry, user), False
    _audit(user, "blocklist.added", made, reason=made.reason, until=clock.iso(made.expires_at))
    return made, True


def _extended(row: BlockEntry, wanted: BlockEntry, user: User | None) -> BlockEntry:
    """The later end wins; no end is the latest."""
    if row.expires_at is not None and (wanted.expires_at is None or wanted.expires_at > row.expires_at):
        row.expires_at = wanted.expires_at
        row.save(update_fields=["expires_at"])
        _audit(user, "blocklist.extended", row, by=wanted.added_by, until=clock.iso(row.expires_at))
    return row


def _take_off(row: BlockEntry, actor_name: str, user: User | None, reason: str) -> BlockEntry:
    row.removed_at, row.removed_by, row.removal_reason = clock.now(), actor_name[:200], reason[:500]
    row.save(update_fields=["removed_at", "removed_by", "removal_reason"])
    _audit(user, "blocklist.removed", row, by=actor_name, reason=reason)
    return row


def _current(key: str) -> BlockEntry | None:
    return BlockEntry.objects.select_for_update(of=("self",)).filter(digest=key, removed_at__isnull=True).first()


def _may(user: User | None) -> None:
    if user is not None and not user.has_perm("accounts.respond"):
        raise Forbidden(_("You may not change the block list."))


def _reason(text: str, *, needed: bool = False) -> str:
    clean = " ".join(text.replace("\x00", "").split())
    if (needed and not clean) or len(clean) > 500:
        raise Refused({"reason": _("A reason has 1 to 500 characters.")})
    return clean


def _end(days: int | None) -> datetime | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST.days:
        raise Refused({"days": _("An entry stays for 1 to %(days)s days, or for good.") % {"days": LONGEST.days}})
    return clock.now() + timedelta(days=days)


def _audit(user: User | None, verb: str, row: BlockEntry, **data: str | None) -> None:
    audit.record(user, verb, f"blocklist {row}", reference=row.reference, added_by=row.added_by, **data)
