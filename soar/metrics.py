"""``/metrics`` for Prometheus (operations.md 7). Most figures are asked of the database when it is scraped: all web
processes of all hosts tell the same. Disks and the times of requests are those of this machine.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from soar.lib.disks import disks
from soar.lib.figures import FIGURES, Figures, rows_of
from soar.lib.request_times import BUCKETS
from soar.middleware import request_times


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
        yield from _disks()
        yield _times()


def _filled(figures: Figures, rows: list[tuple[Any, ...]]) -> Iterator[Metric]:
    width = len(figures.labels)
    for column, (name, about) in enumerate(figures.metrics, start=width):
        family = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
        metric = family(name, about, labels=figures.labels)
        for row in rows:
            metric.add_metric([str(value) for value in row[:width]], float(row[column]))
        yield metric


def _disks() -> Iterator[Metric]:
    """Of this machine; what lies on one disk has the same figures."""
    free = GaugeMetricFamily(
        "soar_disk_free_bytes", "Free on the disk of this place, of this machine", labels=["place"]
    )
    size = GaugeMetricFamily(
        "soar_disk_size_bytes", "Size of the disk of this place, of this machine", labels=["place"]
    )
    low = GaugeMetricFamily("soar_disk_low", "1 where less is free than SOAR_DISK_LOW_MB", labels=["place"])
    for one in disks():
        for place in one.places:
            free.add_metric([place], one.free)
            size.add_metric([place], one.size)
            low.add_metric([place], int(one.low))
    yield from (free, size, low)


def _times() -> Metric:
    about = "Seconds from a request to the beginning of its answer, by route and class of status, of this machine"
    metric = HistogramMetricFamily("soar_http_requests_seconds", about, labels=("route", "status"))
    ends = [*map(str, BUCKETS), "+Inf"]
    try:
        counted = request_times.all()
    except OSError:  # no room for the file: the other figures are told all the same
        return metric
    for times in counted:
        buckets = list(zip(ends, accumulate(times.counts), strict=True))
        metric.add_metric([times.route, times.status], buckets, times.seconds)
    return metric
