"""The kinds of source: an explicit table (ingest-and-api.md 2). Adding one is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from cases.ingest.normal import NormalAlert
from cases.ingest.sources import (
    alertmanager,
    crowdstrike,
    defender,
    elastic,
    email,
    generic,
    grafana,
    iris,
    keep,
    opensoar,
    sentinel,
    sentinelone,
    splunk,
    thehive,
    visionone,
    wazuh,
    xsoar,
)

Item = dict[str, Any]


def one(document: Item) -> list[Item]:
    """The document is one alert."""
    return [document]


class Kind(NamedTuple):
    """How documents of one product are read.

    ``split`` takes a document apart into alerts, ``normalise`` reads one of them and never raises on an
    object. ``delivers`` presets what the source's alerts are about (``endpoint``, ``email``, ``both`` or
    ``other``, ruling 11). ``multiple`` documents may hold several alerts and answer 207 (ruling 17). ``mail``: what is
    delivered may be a mail message instead of JSON, which is kept beside the alert.
    """

    name: str
    label: str
    normalise: Callable[[Item], NormalAlert]
    split: Callable[[Item], list[Item]] = one
    delivers: str = "other"
    multiple: bool = False
    mail: bool = False

    def is_list(self, document: Item) -> bool:
        """Whether this very document is one that holds several alerts, even if only one is in it."""
        return self.multiple and self.split(document) != [document]


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("generic", "Generic JSON", generic.normalise, delivers="both"),
        Kind("thehive", "TheHive", thehive.normalise, delivers="both"),
        Kind("iris", "DFIR-IRIS", iris.normalise, delivers="both"),
        Kind("opensoar", "OpenSOAR webhook", opensoar.normalise, delivers="both"),
        Kind("keep", "Keep", keep.normalise),
        Kind("elastic", "Elastic Security", elastic.normalise, delivers="endpoint"),
        Kind("splunk", "Splunk", splunk.normalise),
        Kind("sentinel", "Microsoft Sentinel", sentinel.normalise, delivers="both"),
        Kind("defender", "Microsoft Defender", defender.normalise, defender.split, "both", True),
        Kind("crowdstrike", "CrowdStrike Falcon", crowdstrike.normalise, delivers="endpoint"),
        Kind("sentinelone", "SentinelOne", sentinelone.normalise, sentinelone.split, "endpoint", True),
        Kind("wazuh", "Wazuh", wazuh.normalise, delivers="endpoint"),
        Kind("visionone", "Trend Vision One", visionone.normalise, visionone.split, "endpoint", True),
        Kind("alertmanager", "Prometheus Alertmanager", alertmanager.normalise, alertmanager.split, multiple=True),
        Kind("grafana", "Grafana Alerting", grafana.normalise, grafana.split, multiple=True),
        Kind("xsoar", "Cortex XSOAR webhook", xsoar.normalise, delivers="both"),
        Kind("email", "E-mail", email.normalise, delivers="email", mail=True),
    )
}


def kind_of(name: str) -> Kind:
    """The kind of this name. One that is no more is read as generic JSON: its sources lose nothing."""
    return KINDS.get(name) or KINDS["generic"]
