"""DFIR-IRIS alerts, as ElastAlert2, Wazuh's scripts and IRIS' own modules post them.

IRIS gives severities, statuses and types as numbers of its database's rows. Names are read where a sender gives them;
the numbers are those of a fresh installation (Unspecified, Informational, Low, Medium, High, Critical ...).
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import CRITICAL, HIGH, INFORMATIONAL, LOW, MEDIUM, WORDS, severity_of
from cases.ingest.sources import generic, known
from cases.ingest.sources.concerned import Concerned
from cases.ingest.text import as_text, words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

SEVERITIES = {2: INFORMATIONAL, 3: LOW, 4: MEDIUM, 5: HIGH, 6: CRITICAL}
STATUSES = ("", "Unspecified", "New", "Assigned", "In progress", "Pending", "Closed", "Merged", "Escalated")
RESOLUTIONS = {1: "benign", 2: "malicious", 3: "malicious", 6: "benign"}
TLP = {1: "red", 2: "amber", 3: "green", 4: "clear", 5: "amber+strict"}
STRICTEST = ("red", "amber+strict", "amber", "green", "clear")
ACCOUNT_IOC, ACCOUNT_ASSETS = 3, frozenset({1, 5, *range(16, 22)})
OF_SOURCE = ("src", "source", "attacker", "client")
OF_ACCOUNT = frozenset(words("user username account login target-user user-account"))
SKIP = NOISE | frozenset(
    words("alerttitle alertsource alertsourceref alertsourcelink alertiocs alertassets alerttags alertsourceeventtime")
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of the body of ``POST /alerts/add`` or ``/api/v2/alerts``."""
    gather = Gather()
    seen = Concerned(gather)
    beside = _beside(item)
    source, ref = string(item.get("alert_source")), string(item.get("alert_source_ref"))
    alert = NormalAlert(title=string(item.get("alert_title")) or generic.title_of(Flat(item), []), source_ref=ref)
    alert.dedup_key = f"{source};{ref}" if ref else string(item.get("alert_uuid"))
    alert.detection_model = beside.text(*known.MODEL) or source
    alert.description = _description(item)
    alert.severity = _severity(item, beside, alert.notes)
    alert.occurred_at = parse_time(item.get("alert_source_event_time"), alert.notes)
    alert.tags = generic.tags(Flat({"tags": item.get("alert_tags")}))
    alert.external_link = string(item.get("alert_source_link"))
    _state(alert, item)
    _iocs(alert, item, seen)
    _assets(item, seen)
    _who_and_where(seen, beside)
    gather.technique(*(beside.fields[name] for name in known.TECHNIQUES if name in beside.fields))
    seen.put(alert)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def _beside(item: dict[str, Any]) -> Flat:
    """The fields of the sender's context and of the event as its product has it."""
    parts = [item.get(key) for key in ("alert_context", "alert_source_content")]
    merged: dict[Any, Any] = {}
    for part in parts:
        for key, value in part.items() if isinstance(part, dict) else []:
            merged.setdefault(key, value)
    return Flat(merged, known.WRAPPERS)


def _description(item: dict[str, Any]) -> str:
    parts = [as_text(item.get(key)) for key in ("alert_description", "alert_note") if item.get(key)]
    return "\n\n".join(part for part in parts if part.strip())


def _severity(item: dict[str, Any], beside: Flat, notes: list[str]) -> str | None:
    """By name where there is one, else by the number, else what the event itself says."""
    for value in (item.get("severity"), item.get("alert_severity")):
        name = value.get("severity_name") if isinstance(value, dict) else value
        if isinstance(name, str) and name.strip().lower() in WORDS:
            return WORDS[name.strip().lower()]
    number = _number(item.get("alert_severity_id"))
    if number in SEVERITIES:
        return SEVERITIES[number]
    if number not in (0, 1):
        severity_of(item.get("alert_severity_id"), notes, lambda _number: None)
    return generic.severity(beside, [])


def _number(value: Any) -> int:
    """A row's number, also as text; 0 for what is none."""
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 6:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _state(alert: NormalAlert, item: dict[str, Any]) -> None:
    number, resolution = _number(item.get("alert_status_id")), item.get("resolution_status")
    alert.source_state = Flat(item).text("status.statusname", "alertstatus") or (
        STATUSES[number] if 0 < number < len(STATUSES) else ""
    )
    name = resolution.get("resolution_status_name") if isinstance(resolution, dict) else resolution
    alert.determination = verdict_of(name) or RESOLUTIONS.get(_number(item.get("alert_resolution_status_id")))
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def _iocs(alert: NormalAlert, item: dict[str, Any], seen: Concerned) -> None:
    """The sender's indicators, all of them highlighted; the strictest TLP of them is the alert's."""
    marks = set()
    for one in [*objects(item.get("alert_iocs")), *objects(item.get("iocs"))]:
        value = string(one.get("ioc_value"))
        told = f"{as_text(one.get('ioc_tags'))} {as_text(one.get('ioc_description'))}".lower()
        marks.add(_tlp_of(one))
        if _is_account(one, told):
            seen.account(value, highlighted=True)
        elif normal := seen.gather.guess(value, "ioc", True):
            if seen.gather.items.get(("ip", normal)):
                seen.address(normal, any(word in told for word in OF_SOURCE))
        else:
            seen.gather.text(value, "ioc")
    alert.tlp = next((word for word in STRICTEST if word in marks), "")


def _tlp_of(one: dict[str, Any]) -> str:
    named = one.get("tlp")
    if isinstance(named, dict):
        return string(named.get("tlp_name")).lower()
    return TLP.get(_number(one.get("ioc_tlp_id")), "")


def _is_account(one: dict[str, Any], told: str) -> bool:
    kind = one.get("ioc_type")
    name = string(kind.get("type_name") if isinstance(kind, dict) else kind).lower()
    if name:
        return name in OF_ACCOUNT
    return _number(one.get("ioc_type_id")) == ACCOUNT_IOC or bool(OF_ACCOUNT & set(told.replace(",", " ").split()))


def _assets(item: dict[str, Any], seen: Concerned) -> None:
    for one in [*objects(item.get("alert_assets")), *objects(item.get("assets"))]:
        kind = one.get("asset_type")
        name, label = string(one.get("asset_name")), string(kind.get("asset_name")) if isinstance(kind, dict) else ""
        if "account" in label.lower() or _number(one.get("asset_type_id")) in ACCOUNT_ASSETS:
            seen.account(name, string(one.get("asset_domain")))
        else:
            seen.host(name, label, one.get("asset_ip"))


def _who_and_where(seen: Concerned, beside: Flat) -> None:
    seen.address(generic.address(beside, seen.gather, "source_ip", known.SOURCE_IP), True)
    generic.address(beside, seen.gather, "destination_ip", known.DEST_IP)
    system = beside.text("host.os.name", "os", "agent.os.name")
    seen.host(generic.host_name(beside), system, generic.own_addresses(beside))
    seen.account(beside.text(*known.USER))
    generic.named(beside, seen.gather)
