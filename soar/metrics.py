"""``/metrics`` for Prometheus (operations.md 7). Every figure is asked of the database when it is scraped: all web
processes of all hosts tell the same, and none has to remember anything. Each query reads little: open work by its
partial indexes, the rest of what grows by its newest rows.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

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
        f"SELECT name, count(*) FILTER (WHERE at > now() - interval '{SILENT} seconds')"  # noqa: S608  our own number
        " FROM soar_heartbeat GROUP BY 1",
    ),
    Figures(
        (("soar_runs_open", "Runs that are not over"),),
        ("status",),
        "SELECT status, count(*) FROM playbooks_run"
        " WHERE status IN ('queued', 'in_progress', 'pending_approval', 'needs_decision') GROUP BY 1",
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


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Text for Prometheus. 404 without ``SOAR_METRICS_TOKEN``, 401 for another token."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse(
            "The token is missing or wrong.\n", "text/plain", 401, headers={"WWW-Authenticate": "Bearer"}
        )
    registry = CollectorRegistry()
    registry.register(_Collector())
    return HttpResponse(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


class _Collector:
    """What the registry asks; made anew for each scrape."""

    def describe(self) -> list[Metric]:
        """Nothing beforehand: the database is asked once, at the scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All metrics, each with what its query says now."""
        with connection.cursor() as cursor:
            for figures in FIGURES:
                cursor.execute(figures.query)
                yield from _filled(figures, cursor.fetchall())


def _filled(figures: Figures, rows: list[tuple[Any, ...]]) -> Iterator[Metric]:
    width = len(figures.labels)
    for column, (name, about) in enumerate(figures.metrics, start=width):
        family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        metric = family(name, about, labels=figures.labels)
        for row in rows:
            metric.add_metric([str(value) for value in row[:width]], float(row[column]))
        yield metric
