"""Finding entries of the block list, for the page and the API."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from soar.accounts.models import User
from soar.connectors.blocklist.feeds import current
from soar.connectors.intelligence.values import is_ip
from soar.connectors.models import BlockEntry
from soar.lib import clock

STATES = {"active": _("Blocked"), "expired": _("Expired"), "removed": _("Removed"), "any": _("All")}


def found(user: User, *, q: str = "", type: str = "", state: str = "active") -> QuerySet[BlockEntry]:
    """Entries, newest first. ``q``: part of a value, or an address that a network holds; of a reason or reference, as
    far as the person may read these (``told``)."""
    rows = current() if state == "active" else BlockEntry.objects.all()
    if state == "expired":
        rows = rows.filter(removed_at__isnull=True, expires_at__lte=clock.now())
    if state == "removed":
        rows = rows.filter(removed_at__isnull=False)
    if type:
        rows = rows.filter(type=type)
    if q:
        text = q.replace("[.]", ".").replace("hxxp", "http")
        said = Q(reason__icontains=q) | Q(reference__icontains=q)
        named = Q(value__icontains=text) | (said & ~Q(pk__in=_withheld(user, rows.filter(said))))
        rows = rows.filter(named | Q(pk__in=_holding(text))) if is_ip(text) else rows.filter(named)
    return rows


def told(user: User, rows: Iterable[BlockEntry]) -> list[BlockEntry]:
    """The entries as they are in memory, without why and what for where that names a case that the person does not see
    (access.md 4): what is blocked everybody may know, for whom it was done not. ``withheld`` says so."""
    listed = list(rows)
    for row, withheld in zip(listed, _naming(user, [_words(row) for row in listed]), strict=True):
        row.withheld = withheld
        if withheld:
            row.reason, row.reference, row.removal_reason = "", "", ""
    return listed


def _withheld(user: User, rows: QuerySet[BlockEntry]) -> list[int]:
    """Ids of those of which ``told`` takes something out."""
    listed = list(rows.only("reason", "reference", "removal_reason"))
    hidden = _naming(user, [_words(row) for row in listed])
    return [row.pk for row, withheld in zip(listed, hidden, strict=True) if withheld]


def _words(row: BlockEntry) -> str:
    return " ".join((row.reason, row.reference, row.removal_reason))


def _naming(user: User, texts: list[str]) -> list[bool]:
    found: list[bool] = import_string(settings.NAMES_HIDDEN)(user, texts)
    return found


def state_of(row: BlockEntry) -> str:
    """removed, expired or active."""
    if row.removed_at is not None:
        return "removed"
    return "expired" if row.expires_at is not None and row.expires_at <= clock.now() else "active"


def _holding(address: str) -> RawSQL:
    return RawSQL("SELECT id FROM connectors_blockentry WHERE network >>= %s::inet", [address])
