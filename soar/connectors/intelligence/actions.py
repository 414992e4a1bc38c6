"""Every change of the lists: rights, checks, the row and its audit line together. ``actor`` None is the system."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.intelligence.values import digest, normalise
from soar.connectors.models import ExceptionEntry, OwnListEntry, WarningList
from soar.connectors.models.own_lists import Entry
from soar.lib import clock

EFFECTS = ("malicious", "benign")
E = TypeVar("E", bound=Entry)


def add_exception(
    actor: User | None, type_: str, value: str, reason: str, *, expires_at: datetime | None = None
) -> ExceptionEntry:
    """Put a value, name with all below it, or network on the exception list. Raises Forbidden, Refused (by field)."""
    return _add(actor, ExceptionEntry(type=type_, value=value, reason=reason, expires_at=expires_at), "exception")


def add_own(
    actor: User | None, type_: str, value: str, reason: str, *, effect: str, expires_at: datetime | None = None
) -> OwnListEntry:
    """Put a value on the own list. Raises Forbidden, Refused (by field)."""
    if effect not in EFFECTS:
        raise Refused({"effect": _("The effect is one of: %(effects)s.") % {"effects": ", ".join(EFFECTS)}})
    entry = OwnListEntry(type=type_, value=value, effect=effect, reason=reason, expires_at=expires_at)
    return _add(actor, entry, "own_list")


def remove_exception(actor: User | None, entry_id: int) -> ExceptionEntry | None:
    """Take an entry off; None if it is gone already. Raises Forbidden."""
    return _remove(actor, ExceptionEntry, entry_id, "exception")


def remove_own(actor: User | None, entry_id: int) -> OwnListEntry | None:
    """Take an entry off; None if it is gone already. Raises Forbidden."""
    return _remove(actor, OwnListEntry, entry_id, "own_list")


def set_list_enabled(actor: User | None, list_id: int, enabled: bool) -> WarningList | None:
    """Let a warning list speak or be silent; None if there is no such list. Raises Forbidden."""
    _may(actor)
    with transaction.atomic():
        row = WarningList.objects.select_for_update().filter(pk=list_id).first()
        if row is not None and row.enabled != enabled:
            row.enabled = enabled
            row.save(update_fields=["enabled"])
            audit.record(actor, "warning_list.enabled" if enabled else "warning_list.disabled", row.name)
    return row


def _may(actor: User | None) -> None:
    if actor is not None and not actor.has_perm("accounts.manage_settings"):
        raise Forbidden(_("You may not change the lists."))


def _add(actor: User | None, entry: E, verb: str) -> E:
    _may(actor)
    _complete(actor, entry)
    rows = type(entry)._default_manager.filter(digest=entry.digest)
    with transaction.atomic():
        rows.filter(expires_at__lte=clock.now()).delete()  # an expired entry makes room for a new one
        # One statement, so that two people at once do not both pass a check.
        made = type(entry)._default_manager.bulk_create([entry], ignore_conflicts=True)[0]
        row = rows.get()
        if row.added_at != made.added_at:
            raise Refused(
                {
                    "value": _("%(value)s is on this list already: %(reason)s")
                    % {"value": entry.value, "reason": row.reason}
                }
            )
        audit.record(actor, f"{verb}.added", str(row), reason=row.reason, effect=getattr(row, "effect", ""))
    return row


def _complete(actor: User | None, entry: Entry) -> None:
    """Normalise and fill in what follows from the rest. Raises Refused."""
    errors = {}
    try:
        entry.value = normalise(entry.type, entry.value)
    except ValueError as error:
        errors["value"] = str(error)
    entry.reason = " ".join(entry.reason.split())
    if not 0 < len(entry.reason) <= 500:
        errors["reason"] = _("A reason has 1 to 500 characters.")
    if entry.expires_at is not None and entry.expires_at <= clock.now():
        errors["expires_at"] = _("The end must be in the future.")
    if errors:
        raise Refused(errors)
    entry.digest = digest(entry.type, entry.value)
    entry.network = entry.value if entry.type == "cidr" else None
    entry.added_by = actor.display_name() if actor else "Soar"


def _remove(actor: User | None, model: type[E], entry_id: int, verb: str) -> E | None:
    _may(actor)
    with transaction.atomic():
        row = model._default_manager.select_for_update().filter(pk=entry_id).first()
        if row is not None:
            row.delete()
            audit.record(actor, f"{verb}.removed", str(row), reason=row.reason)
    return row
