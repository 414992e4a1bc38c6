"""What pages show of assets: badges, lines of lists, the assets of an alert or incident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Window
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.choices import Criticality
from cases.models import Alert, Asset, AssetChange, Incident, IncidentAsset
from cases.stats import OPEN, Figure, base_of
from cases.views.folding import FIRST, WHOLE, fold, rest
from soar.accounts.models import User
from soar.lib import parts

Context = dict[str, Any]
TONES = {Criticality.LOW: "blue", Criticality.MEDIUM: "amber", Criticality.HIGH: "orange", Criticality.CRITICAL: "red"}
SERVERS = ("server", "virtual machine", "vm", "appliance", "domain controller")
# Open alerts are looked for among this many of an asset's newest: a list stays quick however much a host has reported.
NEWEST = 200
FIELD_LABELS = {
    "name": _("Name"), "type": _("Type"), "system": _("Operating system"), "addresses": _("Addresses"),
    "groups": _("Groups"), "criticality": _("Criticality"), "tags": _("Tags"), "inventory": _("Inventory"),
}  # fmt: skip
_OPEN_ALERTS = """
SELECT w.id, count(*) FILTER (WHERE base.id IS NOT NULL), count(*)
FROM unnest(%s::bigint[]) AS w(id) CROSS JOIN LATERAL (
    SELECT l.alert_id FROM cases_alertasset l WHERE l.asset_id = w.id ORDER BY l.alert_id DESC LIMIT {newest}
) near LEFT JOIN (SELECT id FROM ({base}) seen WHERE {open}) base ON base.id = near.alert_id
GROUP BY w.id
"""


def criticality(value: int) -> SafeString:
    """The criticality as a pill; a dash where nobody has set it."""
    level = Criticality(value)
    if not level:
        return mark_safe('<span class="ink-2">–</span>')
    return parts.pill(gettext(str(level.label)), TONES[level])


def icon_of(asset: Asset) -> str:
    """The sign of its type."""
    return "server" if asset.type in SERVERS or "server" in asset.system.lower() else "laptop"


def open_alerts(user: User, ids: list[int]) -> dict[int, Figure]:
    """How many open alerts that the person may see name each asset, of its newest ``NEWEST``; "+" where it has more."""
    if not ids:
        return {}
    base = base_of(Alert.objects.visible_to(user))
    sql = _OPEN_ALERTS.format(newest=NEWEST, base=base.sql, open=OPEN)
    with connection.cursor() as cursor:
        cursor.execute(sql, [ids, *base.params])
        return {pk: Figure(number, looked >= NEWEST and number > 0) for pk, number, looked in cursor.fetchall()}


def line(asset: Asset, alerts: Figure | None = None) -> Context:
    """An asset as a line of a list."""
    return {
        "pk": str(asset.pk),
        "name": asset.name,
        "url": reverse("asset-detail", args=[asset.pk]),
        "icon": icon_of(asset),
        "about": " · ".join(filter(None, (asset.type, asset.system))),
        "address": asset.addresses[0] if asset.addresses else "",
        "addresses": len(asset.addresses) - 1,
        "groups": asset.groups,
        "tags": asset.tags,
        "criticality": criticality(asset.criticality),
        "level": asset.criticality,
        "listed": asset.listed,
        "open": alerts or Figure(0),
    }


def of_alert(alert: Alert) -> dict[str, Context]:
    """The assets of an alert by their names in lower case; whoever sees the alert sees them."""
    assets = list(Asset.objects.filter(alert_links__alert=alert))
    return {asset.key: line(asset) for asset in assets}


# One list: with OR between two subqueries the planner reads all assets there are.
ITS_ASSETS = """
    SELECT l.asset_id FROM cases_alert a JOIN cases_alertasset l ON l.alert_id = a.id WHERE a.incident_id = %s
    UNION
    SELECT asset_id FROM cases_incidentasset WHERE incident_id = %s
"""


def ids_of_incident(incident: Incident) -> RawSQL:
    """Ids of the assets of the incident itself and of its alerts, as a subquery."""
    return RawSQL(ITS_ASSETS, [incident.pk, incident.pk])  # noqa: S611  a constant


def of_incident(user: User, incident: Incident, *, whole: bool = False) -> Context:
    """The assets of the incident and of its alerts, the most critical first; whoever sees it sees them."""
    own = Exists(IncidentAsset.objects.filter(incident=incident, asset=OuterRef("pk")))
    rows = Asset.objects.filter(pk__in=ids_of_incident(incident)).annotate(own=own, total=Window(Count("pk")))
    shown: list[Any] = list(rows.order_by("-criticality", "key")[: WHOLE if whole else FIRST])
    total = shown[0].total if shown else 0
    return {
        "assets": [{**line(asset), "own": asset.own} for asset in shown],
        "assets_total": total,
        "assets_fold": fold("assets", len(shown), total, whole=whole),
        "assets_more": rest(total, whole=whole),
        "assets_url": f"{reverse('asset-list')}?incident={incident.number}",
    }


def changes(rows: Iterable[AssetChange]) -> list[Context]:
    """The history of an asset as lines: who, when, what from and to."""
    return [
        {
            "who": row.actor_name,
            "at": parts.ago(row.at, suffix=True),
            "verb": VERBS.get(row.verb, row.verb),
            "imported": row.how == "import",
            "fields": differences(row.data),
        }
        for row in rows
    ]


VERBS = {
    "created": _("put it into the inventory"),
    "changed": _("changed"),
    "removed": _("took it out of the inventory"),
}


def differences(data: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(label, old, new) of what an entry or a plan changes."""
    return [
        (str(FIELD_LABELS.get(name, name)), words(pair[0]), words(pair[1]))
        for name, pair in data.items()
        if isinstance(pair, list) and len(pair) == 2
    ]


def words(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or gettext("nothing")
    if value in Criticality.words():
        return gettext(str(Criticality.from_word(value).label))
    return str(value) or gettext("nothing")


def new_line(row: dict[str, Any]) -> Context:
    """An asset that an import would make."""
    return {
        "name": row["name"],
        "about": " · ".join(filter(None, (row["type"], row["system"]))),
        "addresses": ", ".join(row["addresses"]),
        "groups": row["groups"],
        "tags": row["tags"],
        "criticality": criticality(row["criticality"]),
    }
