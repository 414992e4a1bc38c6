"""Alerts of an imported incident: rows of their own, of a source that nothing can post to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cases.actions.observables import observable_of
from cases.choices import AlertStatus, Determination, Severity, Tlp
from cases.errors import CaseError
from cases.importing.plan import AlertPlan, Report
from cases.ingest.assets import ASSETS_AT_MOST, NamedAsset, named
from cases.models import Alert, AlertAsset, AlertObservable, AlertPayload, AlertSource, Asset, Incident
from soar.lib import clock

SOURCE = "imported"
CHOICES = {"severity": Severity, "status": AlertStatus, "determination": Determination}
OBSERVABLES_AT_MOST = 500  # an alert's (rulings 18)


def make_alert(incident: Incident, plan: AlertPlan, report: Report) -> Alert:
    """The alert in the incident, with its observables and assets; no timeline yet."""
    now = clock.now()
    fields: dict[str, Any] = dict(plan.fields)
    for name, choices in CHOICES.items():
        fields[name] = choices.from_word(fields[name])  # type: ignore[attr-defined]
    fields["received_at"] = min(fields["received_at"], now)
    fields["tlp"] = fields["tlp"] if fields["tlp"] in Tlp.values else Tlp.AMBER
    alert = Alert.objects.create(
        source=imported_source(), source_ref=plan.ref[:300], dedup_key=f"imported {plan.ref}"[:300],
        incident=incident, team=incident.team, restricted=incident.restricted, updated_at=now,
        entities=plan.assets, **fields,
    )  # fmt: skip
    AlertPayload.objects.create(alert=alert, body=plan.body, latest_body=plan.latest_body, latest_at=plan.latest_at)
    _observables(alert, plan, report)
    assets = asset_ids([one for one in plan.assets if "addresses" in one])
    AlertAsset.objects.bulk_create(AlertAsset(alert=alert, asset_id=pk) for pk in sorted(assets))
    return alert


def asset_ids(wanted: Sequence[dict[str, Any]]) -> set[int]:
    """The rows of these assets, made where they are new; what is known of one that is there stays as it is."""
    facts: dict[str, NamedAsset] = {}
    for start in range(0, len(wanted), ASSETS_AT_MOST):  # as many as are read at once
        facts |= {one.key: one for one in named(list(wanted[start : start + ASSETS_AT_MOST]), [])}
    found = set()
    for key, one in sorted(facts.items()):
        told = {"name": one.name, "type": one.type, "system": one.system, "addresses": list(one.addresses)}
        row, _ = Asset.objects.get_or_create(key=key, defaults=told)
        found.add(row.pk)
    return found


def imported_source() -> AlertSource:
    """The source of alerts that came with incidents; it has no token."""
    source, _ = AlertSource.objects.get_or_create(slug=SOURCE, defaults={"name": "Imported", "kind": "generic"})
    return source


def _observables(alert: Alert, plan: AlertPlan, report: Report) -> None:
    links: dict[int, AlertObservable] = {}
    for one in plan.observables[:OBSERVABLES_AT_MOST]:
        try:
            row = observable_of(one.type, one.value)
        except CaseError as error:
            report.leave(f"observable {one.type} {one.value:.80} of {plan.ref}", error.message)
            continue
        links.setdefault(row.pk, AlertObservable(alert=alert, observable=row, role=one.role[:30]))
    AlertObservable.objects.bulk_create(links.values())
    alert.observable_count = len(links)
    alert.save(update_fields=["observable_count"])
