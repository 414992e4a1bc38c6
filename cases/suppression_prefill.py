"""Conditions for a new suppression rule from what a person looks at: an alert, several, or the queue's filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from cases.choices import Severity
from cases.filters import AlertFilter
from cases.ingest.conditions import NAMES
from cases.models import Alert

COLUMNS = {"model": "detection_model", "host": "hostname", "user": "username", "ip": "source_ip"}
DISTINCT_AT_MOST = 5
Values = dict[str, list[str]]


def from_alerts(alerts: Sequence[Alert]) -> Values:
    """What the alerts have in common: few sources, models, hosts; their tags; without a model their title."""
    found: Values = {"source": sorted({one.source.slug for one in alerts})}
    for name, column in COLUMNS.items():
        values = sorted({getattr(one, column) for one in alerts})
        if all(values) and len(values) <= (DISTINCT_AT_MOST if name in ("model", "host") else 1):
            found[name] = values
    if "model" not in found and len(titles := {one.title for one in alerts}) == 1:
        found["title"] = [titles.pop()[:300]]
    return {name: values for name, values in found.items() if values and len(values) <= DISTINCT_AT_MOST}


def from_query(params: QueryDict | Mapping[str, str | list[str]]) -> Values:
    """The fields of a filter that a rule knows too, from parameters and from the query box; its words stand in titles.
    What is excluded or compared with is left out: a rule has no such conditions."""
    wanted = AlertFilter.parse(params)
    found: Values = {name: list(values) for name, values in wanted.params.items() if name in NAMES}
    for token in wanted.tokens:
        name = token.field or "title"
        if token.negated or name not in NAMES or (token.op and (name, token.op) != ("severity", "<=")):
            continue
        found.setdefault(name, []).extend(token.values if token.field else [token.value])
    if titles := params.get("title"):
        found["title"] = params.getlist("title") if isinstance(params, QueryDict) else [str(titles)]
    if "severity" in found:
        found["severity"] = _most(found["severity"])
    return found


def query_of(values: Values, **more: str) -> str:
    """The query string of the form of a new rule."""
    return urlencode([*((name, value) for name, listed in values.items() for value in listed), *more.items()])


def initial_of(values: Values) -> dict[str, Any]:
    """The form's fields: one value a line."""
    listed = {name: "\n".join(found) for name, found in values.items() if name not in ("source", "severity")}
    return {**listed, "source": values.get("source", []), "severity": next(iter(values.get("severity", [])), "")}


def _most(words: list[str]) -> list[str]:
    """The highest of some severities."""
    known = [Severity[word.strip().upper()] for word in words if word.strip().upper() in Severity.__members__]
    return [max(known).word] if known else []
