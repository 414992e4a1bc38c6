"""Response tasks whose record names an alert or an incident are found by an index: a run of thousands of tasks is read
on each look at its page (playbooks.disclosure), and few of them name any. Built beside the traffic."""

from __future__ import annotations

from django.db import migrations

WORDS = "(reason || ' ' || message || ' ' || data::text || ' ' || coalesce(answer::text, ''))"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("playbooks", "0004_task_phase")]

    operations = [
        # What an attempt that was broken off has left would be no index.
        migrations.RunSQL("DROP INDEX CONCURRENTLY IF EXISTS rtask_named", migrations.RunSQL.noop),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY rtask_named ON playbooks_responsetask (run_id)"
            f" WHERE {WORDS} ~* '(ALR|INC)-[0-9]'",
            "DROP INDEX CONCURRENTLY IF EXISTS rtask_named",
        ),
    ]
