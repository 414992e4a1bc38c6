"""The observables and assets of an incident, each once, with the alerts that name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from cases.api.representation import observable_dicts
from cases.choices import Criticality
from cases.models import Alert, AlertAsset, AlertObservable, Asset, Incident, IncidentAsset, IncidentObservable
from soar.accounts.models import User
from soar.lib.clock import iso

Items = list[dict[str, Any]]


def observables(user: User, incident: Incident, alerts: Iterable[Alert]) -> Items:
    """Those put on the incident itself and those of these alerts, by type and value, as the user sees them."""
    named = AlertObservable.objects.filter(alert__in=[one.pk for one in alerts]).select_related("observable")
    own = {
        row.observable_id: row
        for row in IncidentObservable.objects.filter(incident=incident).select_related("observable")
    }
    found = {pk: row.observable for pk, row in own.items()}
    numbers: dict[int, list[str]] = defaultdict(list)
    roles: dict[int, list[str]] = defaultdict(list)
    for link in named.order_by("alert", "pk"):
        found[link.observable_id] = link.observable
        numbers[link.observable_id].append(f"ALR-{link.alert_id}")
        roles[link.observable_id] += [link.role] if link.role and link.role not in roles[link.observable_id] else []
    ordered = sorted(found.values(), key=lambda one: (one.type, one.value, one.pk))
    return [
        told | {"alerts": numbers[one.pk], "roles": roles[one.pk], **_by_whom(own.get(one.pk))}
        for one, told in zip(ordered, observable_dicts(user, ordered), strict=True)
    ]


def assets(incident: Incident, alerts: Iterable[Alert]) -> Items:
    """Those put on the incident itself and those that these alerts name, by name."""
    own = {row.asset_id: row for row in IncidentAsset.objects.filter(incident=incident).select_related("asset")}
    found: dict[int, Asset] = {pk: row.asset for pk, row in own.items()}
    numbers: dict[int, list[str]] = defaultdict(list)
    links = AlertAsset.objects.filter(alert__in=[one.pk for one in alerts]).select_related("asset")
    for link in links.order_by("alert", "pk"):
        found[link.asset_id] = link.asset
        numbers[link.asset_id].append(f"ALR-{link.alert_id}")
    ordered = sorted(found.values(), key=lambda one: (one.key, one.pk))
    return [_asset(one) | {"alerts": numbers[one.pk], **_by_whom(own.get(one.pk))} for one in ordered]


def _asset(one: Asset) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": one.name,
        "type": one.type,
        "system": one.system,
        "addresses": one.addresses,
        "groups": one.groups,
        "criticality": Criticality(one.criticality).word,
        "tags": one.tags,
    }


def _by_whom(row: IncidentObservable | IncidentAsset | None) -> dict[str, Any]:
    return {"added_by": row.added_by if row else None, "added_at": iso(row.added_at) if row else None}
