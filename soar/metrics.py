"""``/metrics`` for Prometheus (operations.md 7). Every figure is asked of the database when it is scraped: all web
processes of all hosts tell the same, and none has to remember anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from soar.lib.figures import FIGURES, Figures, rows_of


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
        for figures in FIGURES:
            yield from _filled(figures, rows_of(figures))


def _filled(figures: Figures, rows: list[tuple[Any, ...]]) -> Iterator[Metric]:
    width = len(figures.labels)
    for column, (name, about) in enumerate(figures.metrics, start=width):
        family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        metric = family(name, about, labels=figures.labels)
        for row in rows:
            metric.add_metric([str(value) for value in row[:width]], float(row[column]))
        yield metric
