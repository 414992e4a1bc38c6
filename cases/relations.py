"""How much a shared value says. Pure: weights by type, less for common values (casework.md 8)."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from cases.choices import Criticality

# A shared source address first, as the origin has it; then what is hard to share by chance.
WEIGHTS = {
    "source_ip": 6.0,
    "sha256": 5.0,
    "sha1": 5.0,
    "md5": 5.0,
    "url": 4.5,
    "domain": 3.5,
    "email": 3.5,
    "ip": 3.5,
    "asset": 3.0,
    "host": 3.0,
    "user": 2.5,
    "crypto": 4.0,
    "registry_key": 2.0,
    "file_path": 2.0,
    "file_name": 1.0,
}
LABELS = {
    "source_ip": "source address",
    "sha256": "hash",
    "sha1": "hash",
    "md5": "hash",
    "url": "URL",
    "domain": "domain",
    "email": "e-mail address",
    "ip": "address",
    "asset": "asset",
    "host": "host",
    "user": "user",
    "crypto": "wallet",
    "registry_key": "registry key",
    "file_path": "path",
    "file_name": "file name",
}
SHARED_TYPES = tuple(name for name in WEIGHTS if name not in ("source_ip", "asset", "host", "user"))
# How much more it says that an asset is the same when much depends on it, and what a critical one adds by being there.
CRITICALITY = {Criticality.MEDIUM: 1.2, Criticality.HIGH: 1.5, Criticality.CRITICAL: 1.8}
CRITICAL_NAMED = {Criticality.HIGH: 0.5, Criticality.CRITICAL: 1.0}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why things belong together: the type and value they share, in words."""

    type: str
    value: str
    text: str
    weight: float = 0.0


def weight(type: str, sightings: int) -> float:
    """What sharing one value of ``type`` is worth when ``sightings`` alerts name it in all."""
    return WEIGHTS.get(type, 1.0) / math.log2(2 + max(sightings - 1, 0) / 4)


def reason(type: str, value: str, sightings: int) -> Reason:
    """The reason for a shared value."""
    return Reason(type, value, f"same {LABELS.get(type, type)}", weight(type, sightings))


def asset_reason(name: str, criticality: Criticality, sightings: int) -> Reason:
    """The reason for a shared asset: the more depends on it, the more it weighs, and the words say so."""
    weighed = weight("asset", sightings) * CRITICALITY.get(criticality, 1.0)
    return Reason("asset", name, f"same {critical(criticality)}asset", weighed)


def critical_reason(name: str, criticality: Criticality) -> Reason:
    """What it adds that one of the alerts names an asset on which much depends. For *high* and *critical* alone."""
    return Reason("asset", name, f"on the {critical(criticality)}asset", CRITICAL_NAMED[criticality])


def critical(criticality: Criticality) -> str:
    """An asset's criticality as the words before it, with a space; "" where there is nothing to say."""
    if criticality == Criticality.CRITICAL:
        return "critical "
    return f"{criticality.word}-criticality " if criticality in CRITICALITY else ""


def key_of(type: str, value: str) -> str:
    """The key of a suggestion: the value that made it, so that "not related" is remembered. A host has one key,
    whether it is known as an asset or by the name in the alert alone."""
    type = "host" if type == "asset" else type
    return hashlib.sha256(f"{type}\0{value}".encode("utf-8", "surrogatepass")).hexdigest()[:24]
