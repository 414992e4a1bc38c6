"""Indicators of DFIR-IRIS, whose types are those of MISP."""

from __future__ import annotations

from typing import Any

from cases.importing.plan import ObservablePlan
from cases.importing.reading import Reader
from cases.importing.thehive_words import HASHES
from cases.ingest.iocs import normalise_observable

TYPES = {
    "ip-src": "ip",
    "ip-dst": "ip",
    "ip-any": "ip",
    "ip": "ip",
    "domain": "domain",
    "hostname": "hostname",
    "url": "url",
    "uri": "url",
    "link": "url",
    "email": "email",
    "email-src": "email",
    "email-dst": "email",
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha256",
    "filename": "file_name",
    "file-path": "file_path",
    "file path": "file_path",
    "regkey": "registry_key",
    "vulnerability": "cve",
    "mac-address": "mac",
    "as": "asn",
    "btc": "crypto",
    "xmr": "crypto",
    "account": "user",
    "target-user": "user",
    "github-username": "user",
    "hash": "hash",
    "malware-sample": "hash",
}
# A pair in one value: which half is of which type.
PAIRS = {"domain|ip": ("domain", "ip"), "hostname|port": ("hostname", ""), "ip-dst|port": ("ip", ""),
         "ip-src|port": ("ip", ""), "filename|md5": ("file_name", "md5"), "filename|sha1": ("file_name", "sha1"),
         "filename|sha256": ("file_name", "sha256")}  # fmt: skip


def observables_of(given: Any, read: Reader) -> list[ObservablePlan]:
    """Each once; what no type here fits is told."""
    found: dict[tuple[str, str], ObservablePlan] = {}
    for row in read.items(given, "iocs"):
        kind = str(row.get("type_name") or row.get("ioc_type") or "").lower()
        value = read.text(row.get("ioc_value"), "an indicator", 4_000)
        for type_, text in _pairs(kind, value):
            if plan := _plan(kind, type_, text, read):
                found.setdefault((plan.type, plan.value), plan)
        if words := read.text(row.get("ioc_description"), f"the description of {value:.80}", 5_000):
            read.remarks.append(f"`{value[:500]}`: {words}")
    return list(found.values())


def _pairs(kind: str, value: str) -> list[tuple[str, str]]:
    if kind in PAIRS:
        halves = value.split("|", 1)
        return [(type_, half) for type_, half in zip(PAIRS[kind], halves, strict=False) if type_]
    if kind == "ip-any" or kind.startswith("ip"):
        return [("cidr" if "/" in value else "ip", value)]
    return [(TYPES.get(kind, ""), value)]


def _plan(kind: str, type_: str, text: str, read: Reader) -> ObservablePlan | None:
    wanted = HASHES.get(len(text), "") if type_ == "hash" else type_
    if not wanted:
        read.report.leave(f"indicator {kind} {text:.80}", "no type here fits")
        return None
    try:
        return ObservablePlan(wanted, normalise_observable(wanted, text))
    except ValueError as error:
        read.report.leave(f"indicator {kind} {text:.80}", str(error))
        return None
