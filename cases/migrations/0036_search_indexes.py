"""What people wrote can be searched: incidents with their summaries and custom fields, notes, tasks, evidence and
hand-overs. The indexes are built beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F

from cases import search_words as words

# As incidents were searched then; 0038 makes another index in the place of this one.
INCIDENT = words.Words(F("title"), F("summary"), words.Values(F("custom_fields")))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("cases", "0035_alert_indexes")]

    operations = [
        AddIndexConcurrently("incident", words.index(INCIDENT, "incident_words")),
        AddIndexConcurrently("incidenttask", words.index(words.TASK, "task_words")),
        AddIndexConcurrently("evidence", words.index(words.EVIDENCE, "evidence_words")),
        AddIndexConcurrently("timelineentry", words.index(words.NOTE, "timeline_words", words.WRITTEN)),
        AddIndexConcurrently(
            "timelineentry", models.Index(fields=["-id"], name="timeline_written", condition=words.WRITTEN)
        ),
        AddIndexConcurrently("handover", words.index(words.HAND_OVER, "handover_words")),
    ]
