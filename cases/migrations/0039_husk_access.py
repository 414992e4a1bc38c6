"""What was merged into a restricted incident is seen by that one's grants alone."""

import django.db.models.deletion
from django.db import migrations, models

# Until now a merged incident kept its own restriction, whatever became of the one that it went to.
KEEP_OWN = """
UPDATE cases_incidentmove m SET before = m.before || jsonb_build_object('restricted', i.restricted)
FROM cases_incident i WHERE i.id = m.source_id AND m.kind = 'merge' AND m.undone_at IS NULL
"""
FOLLOW = """
WITH RECURSIVE way AS (
    SELECT id, merged_into_id AS husk_of, CASE WHEN restricted THEN id END AS access_of, restricted
    FROM cases_incident i WHERE merged_into_id IS NULL
      AND EXISTS (SELECT 1 FROM cases_incident h WHERE h.merged_into_id = i.id)
    UNION ALL
    SELECT h.id, h.merged_into_id, COALESCE(way.access_of, CASE WHEN h.restricted THEN h.id END),
           way.access_of IS NOT NULL OR h.restricted
    FROM way JOIN cases_incident h ON h.merged_into_id = way.id
)
UPDATE cases_incident i SET access_of_id = NULLIF(way.access_of, i.id), restricted = way.restricted
FROM way WHERE way.id = i.id AND way.husk_of IS NOT NULL AND way.access_of IS NOT NULL
"""
OWN_AGAIN = """
UPDATE cases_incident i SET restricted = (m.before ->> 'restricted')::boolean
FROM cases_incidentmove m
WHERE m.source_id = i.id AND m.kind = 'merge' AND m.undone_at IS NULL AND m.before ? 'restricted'
  AND i.merged_at IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0038_incident_search")]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="access_of",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="cases.incident",
            ),
        ),
        migrations.RunSQL(KEEP_OWN, migrations.RunSQL.noop),
        migrations.RunSQL(FOLLOW, OWN_AGAIN),
    ]
