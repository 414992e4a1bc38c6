"""What ``/metrics`` and the page of operations tell, each figure with its query (operations.md 7). A query reads
little: open work by its partial indexes, the rest of what grows by its newest rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from soar.lib.heartbeat import SILENT

RECENT = 10_000  # the newest rows that finished work is counted among


@dataclass(frozen=True, slots=True)
class Figures:
    """Metrics of one query: each row holds the values of ``labels`` and then one figure for each of ``metrics``,
    which are pairs of name and help."""

    metrics: tuple[tuple[str, str], ...]
    labels: tuple[str, ...]
    query: str


def _recent(table: str, column: str) -> str:
    newest = f"(SELECT coalesce(max(id), 0) - {RECENT} FROM {table})"  # noqa: S608  our own names
    return f"SELECT {column}, count(*) FROM {table} WHERE id > {newest} GROUP BY 1"  # noqa: S608  our own names


FIGURES = (
    Figures(
        (
            ("soar_alerts_accepted_total", "Alerts accepted, repeats included"),
            ("soar_alerts_refused_total", "Deliveries and alerts refused"),
        ),
        ("kind",),
        "SELECT kind, sum(accepted + repeats), sum(refused) FROM cases_alertsource GROUP BY 1",
    ),
    Figures(
        (
            ("soar_queue_tasks", "Tasks that wait or run"),
            ("soar_queue_oldest_seconds", "Age of the oldest of them"),
        ),
        (),
        "SELECT count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0) FROM soar_queue"
        " WHERE failed_at IS NULL",
    ),
    Figures(
        (("soar_queue_failed_tasks", "Tasks that were given up"),),
        (),
        "SELECT count(*) FROM soar_queue WHERE failed_at IS NOT NULL",
    ),
    Figures(
        (("soar_processes", "Processes with a sign of life lately"),),
        ("name",),
        # Nought is told too: an alarm on a figure that is not there never rings.
        "SELECT wanted.name, count(beat.*) FROM (VALUES ('worker'), ('scheduler')) wanted (name)"  # noqa: S608  our own number
        " LEFT JOIN soar_heartbeat beat ON beat.name = wanted.name"
        f" AND beat.at > now() - interval '{SILENT} seconds' GROUP BY 1",
    ),
    Figures(
        (("soar_clock_off_seconds", "Most by which the clock of a living process differs from the database's"),),
        (),
        "SELECT coalesce(max(abs(ahead)), 0) FROM soar_heartbeat"  # noqa: S608  our own number
        f" WHERE at > now() - interval '{SILENT} seconds'",
    ),
    Figures(
        (("soar_scheduled_failing", "Scheduled functions that failed when they were called last"),),
        (),
        "SELECT count(*) FROM soar_failing_call",
    ),
    Figures(
        (("soar_playbooks_unloaded", "Playbooks that are switched on and whose file cannot be loaded"),),
        (),
        "SELECT count(*) FROM playbooks_playbook WHERE enabled AND present AND load_error <> ''",
    ),
    Figures(
        (("soar_runs_open", "Runs that are not over"),),
        ("status",),
        "SELECT wanted.status, count(r.id)"
        " FROM (VALUES ('queued'), ('in_progress'), ('pending_approval'), ('needs_decision')) wanted (status)"
        " LEFT JOIN playbooks_run r ON r.status = wanted.status"
        " AND r.status IN ('queued', 'in_progress', 'pending_approval', 'needs_decision') GROUP BY 1",
    ),
    Figures((("soar_runs_recent", f"Of the newest {RECENT} runs"),), ("status",), _recent("playbooks_run", "status")),
    Figures(
        (("soar_response_tasks_recent", f"Of the newest {RECENT} response tasks"),),
        ("status",),
        _recent("playbooks_responsetask", "status"),
    ),
    Figures(
        (("soar_connector_calls_recent", f"Of the newest {RECENT} calls of connectors"),),
        ("kind", "outcome"),
        "SELECT a.kind, t.status, count(*) FROM connectors_attempt t"  # noqa: S608  our own number
        " JOIN connectors_connectoraccount a"
        f" ON a.id = t.account_id WHERE t.id > (SELECT coalesce(max(id), 0) - {RECENT} FROM connectors_attempt)"
        " GROUP BY 1, 2",
    ),
    Figures(
        (("soar_webhook_deliveries_recent", f"Of the newest {RECENT} deliveries of outgoing webhooks"),),
        ("state",),
        _recent("cases_webhookdelivery", "state"),
    ),
    Figures((("soar_database_bytes", "Size of the database"),), (), "SELECT pg_database_size(current_database())"),
)


def rows_of(figures: Figures) -> list[tuple[Any, ...]]:
    """What its query finds now."""
    with connection.cursor() as cursor:
        cursor.execute(figures.query)
        return list(cursor.fetchall())


def single(*names: str) -> dict[str, float]:
    """These figures, each without labels, by the names that they have in ``/metrics``; those of one query together."""
    found: dict[str, float] = {}
    for figures in FIGURES:
        if not figures.labels and any(name in names for name, _ in figures.metrics):
            [row] = rows_of(figures)
            found |= {name: float(value) for (name, _), value in zip(figures.metrics, row, strict=True)}
    return found
