"""Incidents are found by their tags, techniques and the reason of their resolution too. The new index is built beside the
traffic before the old one goes."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations

from cases import search_words as words

# Of texts array_to_string always says the same; the database cannot know it, because it takes lists of anything.
LISTED = """
CREATE OR REPLACE FUNCTION cases_listed(text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT pg_catalog.array_to_string($1, E'\\n') $$"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0037_alert_untaken")]

    operations = [
        migrations.RunSQL(LISTED, "DROP FUNCTION IF EXISTS cases_listed(text[])"),
        AddIndexConcurrently("incident", words.index(words.INCIDENT, "incident_said")),
        RemoveIndexConcurrently("incident", "incident_words"),
    ]
