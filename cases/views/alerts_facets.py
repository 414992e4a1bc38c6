"""The panel of facets beside the queue: what else could be chosen, each with its number, as links (casework.md 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import facets
from cases.stats import Figure
from cases.views.alerts_queue import Queue

LABELS = {
    "status": gettext_noop("Status"),
    "severity": gettext_noop("Severity"),
    "determination": gettext_noop("Determination"),
    "owner": gettext_noop("Owner"),
    "source": gettext_noop("Source"),
    "model": gettext_noop("Model"),
    "tag": gettext_noop("Tag"),
    "host": gettext_noop("Host"),
    "technique": gettext_noop("Technique"),
}
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Link:
    """A value that a click adds to the filter, or takes away."""

    id: str
    label: str
    number: str
    url: str
    on: bool


def facets_context(queue: Queue) -> Context:
    """The panel, if it is open, and the address that opens or closes it."""
    toggle = queue.here(facets="" if queue.facets else "1")
    if not queue.facets or queue.filter.errors:
        return {"facets_on": queue.facets, "facets_url": toggle}
    found = facets.facets(queue.user, queue.filter, queue.visible)
    panel = [(name, _(LABELS[name]), _links(queue, name, values)) for name, values in found.items()]
    return {"facets_on": True, "facets_url": toggle, "panel": [one for one in panel if one[2]]}


def _links(queue: Queue, name: str, values: list[facets.Value]) -> list[Link]:
    chosen = queue.filter.params.get(name, [])
    known = {value.word for value in values}
    gone = [facets.Value(word, word, Figure(0)) for word in chosen if word not in known]
    return [_link(queue, name, number, value, chosen) for number, value in enumerate([*values, *gone])]


def _link(queue: Queue, name: str, place: int, value: facets.Value, chosen: list[str]) -> Link:
    on = value.word in chosen
    wanted = [word for word in chosen if word != value.word] if on else [*chosen, value.word]
    more: dict[str, Any] = {name: wanted}
    url = queue.url(queue.filter.query_string(**more))
    label = value.label or _("Unassigned")
    return Link(f"facet-{name}-{place}", label, str(value.number), url, on)
