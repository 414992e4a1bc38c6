"""Which attribute of MISP stands for an observable (describeTypes of MISP 2.5). Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

NETWORK, DELIVERY, TARGET, OTHER = "Network activity", "Payload delivery", "Targeting data", "Other"
SOURCE_ROLES = frozenset(("source_ip", "src", "source", "sender", "attacker"))


class Value(NamedTuple):
    """An attribute's type, category and value; ``detects``: of a type that may be marked for detection."""

    type: str
    category: str
    value: str
    detects: bool = False


_TYPES = {
    "domain": ("domain", NETWORK, True),
    "hostname": ("hostname", NETWORK, True),
    "url": ("url", NETWORK, True),
    "md5": ("md5", DELIVERY, True),
    "sha1": ("sha1", DELIVERY, True),
    "sha256": ("sha256", DELIVERY, True),
    "cve": ("vulnerability", "External analysis", False),
    "file_name": ("filename", DELIVERY, True),
    "file_path": ("filename", DELIVERY, True),
    "registry_key": ("regkey", "Persistence mechanism", True),
    "user": ("target-user", TARGET, False),
    "process": ("text", "Artifacts dropped", False),
    "mac": ("mac-address", NETWORK, False),
    "asn": ("AS", NETWORK, False),
}


def value_of(kind: str, value: str, roles: Collection[str] = ()) -> Value | None:
    """The attribute of an observable; None for a technique, which is a tag."""
    if kind == "technique":
        return None
    if kind in ("ip", "cidr"):
        return Value("ip-src" if SOURCE_ROLES.intersection(roles) else "ip-dst", NETWORK, value, True)
    if kind == "email":
        return Value("email-src" if SOURCE_ROLES.intersection(roles) else "email", DELIVERY, value, True)
    if kind == "crypto":
        return _coin(value)
    type_, category, detects = _TYPES.get(kind, ("text", OTHER, False))
    return Value(type_, category, value, detects)


def _coin(value: str) -> Value:
    if value.startswith(("1", "3", "bc1")):
        return Value("btc", "Financial fraud", value, True)
    if value.startswith(("4", "8")) and len(value) >= 95:
        return Value("xmr", "Financial fraud", value, True)
    return Value("text", "Financial fraud", value)
