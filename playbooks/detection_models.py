"""Detection models that alerts name, collected now and then (rulings 11). Scheduled; each call does a piece of it."""

from __future__ import annotations

from django.db import connection, transaction

from playbooks.models import Position

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
WHERE a.id > %(after)s - %(overlap)s AND a.id <= %(until)s AND a.detection_model <> ''
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
    unless a person set it. Returns how many ids were passed. Two at once do nothing twice."""
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
