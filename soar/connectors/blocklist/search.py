"""Finding entries of the block list, for the page and the API."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _

from soar.connectors.blocklist.feeds import current
from soar.connectors.intelligence.values import is_ip
from soar.connectors.models import BlockEntry
from soar.lib import clock

STATES = {"active": _("Blocked"), "expired": _("Expired"), "removed": _("Removed"), "any": _("All")}


def found(*, q: str = "", type: str = "", state: str = "active") -> QuerySet[BlockEntry]:
    """Entries, newest first. ``q``: part of a value, reason or reference, or an address that a network holds."""
    rows = current() if state == "active" else BlockEntry.objects.all()
    if state == "expired":
        rows = rows.filter(removed_at__isnull=True, expires_at__lte=clock.now())
    if state == "removed":
        rows = rows.filter(removed_at__isnull=False)
    if type:
        rows = rows.filter(type=type)
    if q:
        text = q.replace("[.]", ".").replace("hxxp", "http")
        named = Q(value__icontains=text) | Q(reason__icontains=q) | Q(reference__icontains=q)
        rows = rows.filter(named | Q(pk__in=_holding(text))) if is_ip(text) else rows.filter(named)
    return rows


def state_of(row: BlockEntry) -> str:
    """removed, expired or active."""
    if row.removed_at is not None:
        return "removed"
    return "expired" if row.expires_at is not None and row.expires_at <= clock.now() else "active"


def _holding(address: str) -> RawSQL:
    return RawSQL("SELECT id FROM connectors_blockentry WHERE network >>= %s::inet", [address])
