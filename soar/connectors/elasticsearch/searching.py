"""Searches as they are sent: of a stretch of time, in an order that is the same on every page. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from soar.lib.clock import iso

TIME = "@timestamp"
STATE_TIME = "kibana.alert.workflow_status_updated_at"  # an alert's time stays when somebody closes it there
KEEP = "5m"  # between two pages
CLOCK = "now"


def search(pit: str, start: datetime, end: datetime, query: str, size: int, after: list[Any]) -> dict[str, Any]:
    """One page. ``_shard_doc`` tells apart what bears one time, also over the border of two pages; ``after`` is the
    last one's sort. The first page asks for the cluster's clock too: Elasticsearch tells it nowhere else."""
    body: dict[str, Any] = {
        "size": size,
        "pit": {"id": pit, "keep_alive": KEEP},
        "query": {"bool": {"filter": filters(start, end, query)}},
        "sort": [{TIME: {"order": "asc", "unmapped_type": "date"}}, {"_shard_doc": "asc"}],
        "track_total_hits": False,
        "seq_no_primary_term": True,
    }
    return body | ({"search_after": after} if after else {"aggs": {CLOCK: clock_of()}})


def filters(start: datetime, end: datetime, query: str) -> list[dict[str, Any]]:
    """Made or changed from ``start`` to ``end``, and found by the admin's own query."""
    span = {"gte": iso(start), "lte": iso(end), "format": "strict_date_optional_time"}
    times = [{"range": {name: span}} for name in (TIME, STATE_TIME)]
    found: list[dict[str, Any]] = [{"bool": {"should": times, "minimum_should_match": 1}}]
    if query:
        found.append({"query_string": {"query": query, "analyze_wildcard": True}})
    return found


def clock_of() -> dict[str, Any]:
    """An aggregation whose bucket begins at the cluster's own "now"; what it counts is of no interest."""
    return {"date_range": {"field": TIME, "ranges": [{"from": "now"}]}}


def clock_in(document: dict[str, Any]) -> float | None:
    """The cluster's time in seconds since 1970 by the answer; None where it does not tell."""
    found: Any = document.get("aggregations")
    for step in (CLOCK, "buckets"):
        found = found.get(step) if isinstance(found, dict) else None
    first = found[0] if isinstance(found, list) and found else None
    told = first.get("from") if isinstance(first, dict) else None
    return told / 1000 if isinstance(told, int | float) and not isinstance(told, bool) else None
