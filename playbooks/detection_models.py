"""Detection models that alerts name, collected now and then (rulings 11). Scheduled; each call does a piece of it.

What is collected is of all teams. It is shown as it is to those who see them all; others hear of what their own alerts
say (access.md 4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, Max, Q, QuerySet
from django.db.models.functions import Lower

from cases.models import Alert
from playbooks.models import DetectionModel, Position
from soar.accounts.membership import may
from soar.accounts.models import User

NAME = "detection models"
AT_ONCE = 50_000  # alerts that one call looks at
# Alerts become visible out of order: what may have been passed over is looked at again, without being counted again.
OVERLAP = 2000
COLLECT = """
INSERT INTO playbooks_detectionmodel
    (name, key, severity, severity_set, custom, source_name, last_seen_at, alert_count)
SELECT (array_agg(a.detection_model ORDER BY a.id DESC))[1], lower(a.detection_model),
       (array_agg(a.severity ORDER BY a.id DESC))[1], false, false,
       (array_agg(s.name ORDER BY a.id DESC))[1], max(a.last_seen), count(*) FILTER (WHERE a.id > %(after)s)
FROM cases_alert a JOIN cases_alertsource s ON s.id = a.source_id
WHERE a.id > %(after)s - %(overlap)s AND a.id <= %(until)s AND a.detection_model <> '' AND NOT a.restricted
GROUP BY lower(a.detection_model)
ON CONFLICT (key) DO UPDATE SET
    severity = CASE WHEN playbooks_detectionmodel.severity_set THEN playbooks_detectionmodel.severity
                    ELSE EXCLUDED.severity END,
    source_name = EXCLUDED.source_name,
    last_seen_at = greatest(playbooks_detectionmodel.last_seen_at, EXCLUDED.last_seen_at),
    alert_count = playbooks_detectionmodel.alert_count + EXCLUDED.alert_count"""


@transaction.atomic
def collect(*, at_once: int = AT_ONCE, overlap: int = OVERLAP) -> int:
    """Take up to ``at_once`` new alerts into account: their models are added, or their severity follows the last alert
    unless a person set it; what is restricted by then tells nobody anything. Returns how many ids were passed. Two at
    once do nothing twice."""
    Position.objects.get_or_create(name=NAME)
    position = Position.objects.select_for_update().get(name=NAME)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(id) FROM (SELECT id FROM cases_alert WHERE id > %s ORDER BY id LIMIT %s) next",
            [position.last_id, at_once],
        )
        until = cursor.fetchone()[0]
        if until is None:
            return 0
        cursor.execute(COLLECT, {"after": position.last_id, "overlap": overlap, "until": until})
    passed = int(until - position.last_id)
    position.last_id = until
    position.save(update_fields=["last_id"])
    return passed


class Seen:
    """The models as one person sees them. Who chooses by all names (playbook authors, those who set severities) is told
    all names; where they come from, how often and when is told of alerts alone that the person sees."""

    def __init__(self, user: User) -> None:
        self.whole = may(user, "view_all_teams")
        self.all_names = self.whole or may(user, "author_playbooks") or may(user, "manage_settings")
        self._figures: dict[str, dict[str, Any]] = {} if self.whole else _figures(user)

    def rows(self) -> QuerySet[DetectionModel]:
        """Those that the person is told of: custom ones, and those that an alert names which they see."""
        named = Q() if self.all_names else Q(custom=True) | Q(key__in=list(self._figures))
        return DetectionModel.objects.filter(named)

    def fit(self, row: DetectionModel) -> DetectionModel:
        """The row, in memory, with the figures of what the person sees."""
        if self.whole:
            return row
        found = self._figures.get(row.key, {})
        row.source_name, row.alert_count = found.get("source", ""), found.get("count", 0)
        row.last_seen_at = found.get("last")
        if found and not (row.severity_set or self.all_names):
            row.severity = found["severity"]
        return row

    def fitted(self, rows: Iterable[DetectionModel]) -> list[DetectionModel]:
        """``fit`` of several."""
        return [self.fit(row) for row in rows]


def _figures(user: User) -> dict[str, dict[str, Any]]:
    """By the model's key: ``count``, ``last``, and ``source`` and ``severity`` of the newest alert that is seen."""
    named = Alert.objects.visible_to(user).exclude(detection_model="").order_by().annotate(key=Lower("detection_model"))
    found = named.values("key").annotate(count=Count("pk"), last=Max("last_seen"), newest=Max("pk"))
    by_newest: dict[int, dict[str, Any]] = {row["newest"]: dict(row) for row in found}
    for pk, source, severity in Alert.objects.filter(pk__in=by_newest).values_list("pk", "source__name", "severity"):
        by_newest[pk] |= {"source": source, "severity": severity}
    return {row["key"]: row for row in by_newest.values()}
