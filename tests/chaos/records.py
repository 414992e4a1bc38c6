"""What must stand in the database after everything was killed at random."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg

from tests.portal import Portal

ENDED = ("successful", "partially_successful", "unsuccessful", "needs_decision", "cancelled")


def database_of(portal: Portal) -> psycopg.Connection[Any]:
    """A connection past the portal."""
    return psycopg.connect(f"host={portal.data / 'run'} user=soar dbname=soar", autocommit=True)


def unfinished(database: psycopg.Connection[Any]) -> int:
    """Runs that have not ended and tasks that wait for a worker."""
    row = database.execute(
        "SELECT (SELECT count(*) FROM playbooks_run WHERE NOT status = ANY(%s))"
        " + (SELECT count(*) FROM soar_queue WHERE failed_at IS NULL)",
        [list(ENDED)],
    ).fetchone()
    return int(row[0]) if row else -1


def check_alerts(database: psycopg.Connection[Any], accepted: set[str], senders: int) -> None:
    """What was accepted is there once. Of each sender one answer may be missing: then it was never told."""
    stored = [row[0] for row in database.execute("SELECT source_ref FROM cases_alert")]
    assert not accepted - set(stored), "accepted, but not stored"
    assert len(stored) == len(set(stored)) and len(stored) <= len(accepted) + senders
    entries = dict(
        database.execute("SELECT alert_id, count(*) FROM cases_timelineentry WHERE kind = 'alert.opened' GROUP BY 1")
    )
    assert set(entries.values()) == {1} and len(entries) == len(stored)


def _of_lost(database: psycopg.Connection[Any], lost: list[str]) -> str:
    """What is known of alerts that should have had a run."""
    alerts = database.execute(
        "SELECT a.id, a.source_ref, a.tags, a.count, a.received_at::text, e.id, e.recorded_at::text, q.id"
        " FROM cases_alert a LEFT JOIN cases_timelineentry e ON e.alert_id = a.id AND e.kind = 'alert.opened'"
        " LEFT JOIN playbooks_sequence q ON q.entry_id = e.id WHERE a.source_ref = ANY(%s) ORDER BY a.id LIMIT 20",
        [lost],
    ).fetchall()
    queries = (
        "SELECT id, task, args::text, starts, error FROM soar_queue WHERE failed_at IS NOT NULL LIMIT 20",
        "SELECT name, enabled, present, load_error, deactivated_reason FROM playbooks_playbook",
        "SELECT number FROM playbooks_codegeneration",
        "SELECT path, message FROM playbooks_loaderror",
    )
    return "\n".join(map(str, [*alerts, *(row for query in queries for row in database.execute(query).fetchall())]))


def check_effects(database: psycopg.Connection[Any], portal: Portal, accepted: set[str]) -> Counter[str]:
    """One run of the playbook ``effects`` per alert; the mark of a finished run is there once, of an undecided one at
    most once. Returns how the runs ended."""
    rows = database.execute(
        "SELECT a.source_ref, r.status FROM playbooks_run r JOIN cases_alert a ON a.id = r.alert_id"
        " JOIN playbooks_playbook p ON p.id = r.playbook_id WHERE p.name = 'effects'"
    ).fetchall()
    runs = Counter(ref for ref, _ in rows)
    if lost := sorted(accepted - runs.keys()):
        raise AssertionError(f"{len(lost)} accepted alerts had no run:\n{_of_lost(database, lost)}")
    assert set(runs.values()) == {1}, "an alert was run twice"
    marks = Counter((portal.data / "effects").read_text().split())
    for ref, status in rows:
        allowed = (1,) if status == "successful" else (0, 1)
        assert marks[ref] in allowed, f"{ref}: {status} with {marks[ref]} marks"
    odd = database.execute(
        "SELECT r.id, r.status, r.error, r.attempts, r.queued_at::text, r.started_at::text, r.finished_at::text"
        " FROM playbooks_run r JOIN playbooks_playbook p ON p.id = r.playbook_id"
        " WHERE p.name = 'effects' AND r.status NOT IN ('successful', 'needs_decision') LIMIT 20"
    ).fetchall()
    assert not odd, "\n".join(map(str, odd))
    undecided = database.execute(
        "SELECT count(*) FROM playbooks_run r JOIN playbooks_playbook p ON p.id = r.playbook_id"
        " WHERE p.name = 'effects' AND r.status = 'needs_decision' AND NOT EXISTS"
        " (SELECT 1 FROM playbooks_step s WHERE s.run_id = r.id AND s.status = 'unknown_outcome')"
    ).fetchone()
    assert undecided == (0,), "a run waits for a person without saying for which action"
    return Counter(status for _, status in rows)
