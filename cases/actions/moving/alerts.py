"""Alerts, and with them what they name: observables, assets, messages, payloads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases import timeline, timeline_many
from cases.actions.base import save
from cases.actions.moving.base import Part, Told, Way, left
from cases.actors import Actor
from cases.models import Alert, Incident
from cases.timeline_batch import collecting


class Alerts(Part):
    """All of them. Their notes stand on the merged incident's timeline, which is read with the other one's."""

    name, label = "alerts", gettext_lazy("alerts")

    def preview(self, way: Way) -> Told:
        """All go."""
        return Told(Alert.objects.filter(incident=way.source).count())

    def move(self, way: Way) -> list[int]:
        """Ids of the alerts that went."""
        alerts = _locked(incident=way.source)
        relink(way.actor, alerts, way.source, way.target)
        return [alert.pk for alert in alerts]

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that are elsewhere by now."""
        return _gone(len(kept) - Alert.objects.filter(pk__in=kept, incident=way.target).count())

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that are in the other incident still, whatever became of them there."""
        alerts = _locked(pk__in=kept, incident=way.target)
        relink(way.actor, alerts, way.target, way.source)
        return _gone(len(kept) - len(alerts))


def relink(actor: Actor, alerts: Sequence[Alert], source: Incident, target: Incident) -> None:
    """Give locked alerts to another locked incident, each with its entry; the incidents' counts are set in memory."""
    with collecting() as batch:
        for alert in alerts:
            alert.incident, alert.restricted = target, target.restricted
            timeline.record("alert.linked", alert, actor, data={"incident": target.number, "from": source.number})
            save(alert, "incident", "restricted")
    timeline_many.write(batch)
    source.alert_count = max(source.alert_count - len(alerts), 0)
    target.alert_count += len(alerts)


def lock_all(incidents: Iterable[Incident]) -> None:
    """Lock the alerts of locked incidents, by id over all of them, as whoever changes several alerts at once does: one
    incident's after the other's would be another order. Before anything else that hangs on the incidents."""
    rows = Alert.objects.select_for_update(of=("self",)).filter(incident__in=[one.pk for one in incidents])
    list(rows.order_by("pk").values_list("pk", flat=True))


def _gone(number: int) -> list[str]:
    one = _("1 alert was moved on or unlinked since")
    return left(number, one, _("%(n)s alerts were moved on or unlinked since"))


def _locked(**which: Any) -> list[Alert]:
    rows = Alert.objects.select_for_update(of=("self",)).select_related("source")
    return list(rows.filter(**which).order_by("pk"))
