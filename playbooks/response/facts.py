"""What conditions are asked of: the alert and the objects of a run."""

from __future__ import annotations

from cases.choices import Severity
from cases.models import Alert
from playbooks.graph.facts import Facts, Object
from playbooks.graph.model import Graph
from playbooks.graph.schema import read
from playbooks.models import PlaybookVersion
from playbooks.response.objects import Target

KEPT = 500
_graphs: dict[tuple[int, str], Graph] = {}


def facts_of(alert: Alert, targets: list[Target], time_zone: str = "UTC", observables: tuple[str, ...] = ()) -> Facts:
    """The facts of an alert with these objects. ``observables``: values that it names besides them; *hour of day* asks
    when it occurred."""
    return Facts(
        source=alert.source.slug,
        model=alert.detection_model,
        severity=Severity(alert.severity).word,
        alert_tags=tuple(alert.tags),
        techniques=tuple(alert.techniques),
        when=alert.occurred_at,
        time_zone=time_zone,
        hostnames=(alert.hostname,) if alert.hostname else (),
        accounts=(alert.username,) if alert.username else (),
        addresses=(alert.source_ip,) if alert.source_ip else (),
        observables=observables,
        objects=[Object.of(one) for one in targets],
    )


def asks_observables(graph: Graph) -> bool:
    """Whether a condition asks for all values that the alert names, not for its objects alone."""
    return any(row.parameter == "observable" for node in graph.nodes for row in node.conditions)


def graph_of(version: PlaybookVersion) -> Graph:
    """The graph of a published version, read once in a process: versions never change."""
    key = (version.pk, version.digest)
    if key not in _graphs:
        if len(_graphs) >= KEPT:
            _graphs.clear()
        _graphs[key] = read(version.definition)[0]
    return _graphs[key]
