"""TheHive's alerts: version 5 (``observables``) and those of the old ``/api/alert`` (``artifacts``).

TheHive knows an alert by type, source and sourceRef together, and so do we. Observables that its sender marked
``ioc`` are the highlighted ones.
"""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import NOISE, Gather
from cases.ingest.normal import NormalAlert
from cases.ingest.severity import peer_scale, severity_of
from cases.ingest.sources import generic, known
from cases.ingest.sources.concerned import Concerned
from cases.ingest.text import as_text, words
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

# Type of data -> type of observable; "" goes by the look of the value, None is text.
TYPES: dict[str, str | None] = {
    "ip": "ip", "domain": "domain", "fqdn": "domain", "url": "url", "mail": "email", "hash": "", "cve": "cve",
    "filename": "file_name", "file": "file_name", "hostname": "hostname", "registry": "registry_key", "mac": "mac",
    "mac-address": "mac", "autonomous-system": "asn", "username": "user", "user": "user", "account": "user",
    "user-account": "user", "user_account": "user", "uri_path": None, "user-agent": None, "mail_subject": None,
    "mail-subject": None, "regexp": None, "other": None,
}  # fmt: skip
ACCOUNTS, HOSTS = "user", frozenset({"hostname", "fqdn"})
OF_SOURCE = ("src", "source", "attacker", "client", "remote")
TLP = ("clear", "green", "amber", "amber+strict", "red")
OLD_TLP = ("clear", "green", "amber", "red", "red")  # before version 5 there was no amber+strict
RULE = words("rule rulename ruleid detectionrule")
SKIP = NOISE | frozenset(
    words("type source sourceref casetemplate status stage observables artifacts assignee summary")
)


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of the body of ``POST /api/v1/alert`` or ``/api/alert``."""
    gather = Gather()
    seen = Concerned(gather)
    custom = Flat(custom_fields(item.get("customFields")))
    kind, source, ref = (string(item.get(key)) for key in ("type", "source", "sourceRef"))
    alert = NormalAlert(title=string(item.get("title")) or generic.title_of(Flat(item), []), source_ref=ref)
    alert.dedup_key = ";".join((kind, source, ref)) if ref else string(item.get("_id") or item.get("id"))
    alert.detection_model = custom.text(*RULE) or kind
    alert.description = _description(item)
    alert.severity = severity_of(item.get("severity"), alert.notes, peer_scale)
    alert.occurred_at = parse_time(item.get("date"), alert.notes)
    alert.tags = generic.tags(Flat({"tags": item.get("tags")}))
    alert.tlp = _tlp(item)
    alert.external_link = string(item.get("externalLink"))
    _state(alert, item)
    gather.technique(*(one.get("patternId") for one in objects(item.get("procedures"))))
    _observables(alert, item, seen)
    _custom(seen, custom)
    seen.put(alert)
    gather.link(alert.external_link)
    gather.payload(item, SKIP)
    return generic.complete(alert, gather)


def custom_fields(value: Any) -> dict[str, Any]:
    """Names and values of custom fields: an object, an object of typed values, or a list."""
    if isinstance(value, list):
        return {string(one.get("name")): one.get("value") for one in objects(value)}
    if not isinstance(value, dict):
        return {}
    return {name: _custom_value(one) for name, one in value.items()}


def _custom_value(one: Any) -> Any:
    """``{"string": "x", "order": 0}`` is x."""
    if not isinstance(one, dict):
        return one
    return next((value for key, value in one.items() if key != "order"), None)


def _description(item: dict[str, Any]) -> str:
    parts = [as_text(item.get(key)) for key in ("description", "summary") if item.get(key)]
    return "\n\n".join(part for part in parts if part.strip())


def _tlp(item: dict[str, Any]) -> str:
    number = item.get("tlp")
    names = OLD_TLP if "artifacts" in item else TLP
    return names[number] if isinstance(number, int) and 0 <= number < len(names) else string(number).lower()


def _state(alert: NormalAlert, item: dict[str, Any]) -> None:
    """Version 5 has a stage besides the status, which may itself be a verdict (``FalsePositive``)."""
    status, stage = string(item.get("status")), string(item.get("stage"))
    alert.source_state = status or stage
    alert.determination = verdict_of(status) or verdict_of(item.get("resolutionStatus"))
    alert.closed = bool(alert.determination) and (not stage or is_closed(stage))


def _observables(alert: NormalAlert, item: dict[str, Any], seen: Concerned) -> None:
    for one in [*objects(item.get("observables")), *objects(item.get("artifacts"))]:
        kind = string(one.get("dataType")).lower()
        values = one.get("data") if isinstance(one.get("data"), list) else [one.get("data")]
        for value in values or []:
            _observable(kind, string(value), one, seen)
        _attachment(alert, one, seen)
        if message := string(one.get("message")):
            seen.gather.text(message, "message")


def _observable(kind: str, value: str, one: dict[str, Any], seen: Concerned) -> None:
    role, marked, gather = (kind or "observable"), one.get("ioc") is True, seen.gather
    wanted = TYPES.get(kind, "")
    if kind == "autonomous-system" and value.isdecimal():
        value = f"AS{value}"
    if wanted == ACCOUNTS:
        seen.account(value, highlighted=marked)
    elif kind in HOSTS:
        gather.add("domain" if kind == "fqdn" else "hostname", value, role, marked)
        seen.host(value)
    elif not (wanted and gather.add(wanted, value, role, marked)) and not gather.guess(value, role, marked):
        gather.text(value, role)
    if wanted == "ip":
        seen.address(gather.add("ip", value, role), _is_source(one))


def _is_source(one: dict[str, Any]) -> bool:
    """Whether tags or message of an address call it the source's."""
    told = f"{as_text(one.get('tags'))} {as_text(one.get('message'))}".lower()
    return any(word in told for word in OF_SOURCE)


def _attachment(alert: NormalAlert, one: dict[str, Any], seen: Concerned) -> None:
    """Name and digests of an attached file."""
    attached = one.get("attachment")
    if not isinstance(attached, dict):
        return
    name, marked = string(attached.get("name")), one.get("ioc") is True
    seen.gather.add("file_name", name, "attachment", marked)
    seen.gather.guess(attached.get("hashes"), "attachment", marked)
    alert.notes.append(f"the attached file '{name}' is not kept; its name and digests are observables")


def _custom(seen: Concerned, custom: Flat) -> None:
    """Host, user and address that stand in custom fields."""
    seen.host(generic.host_name(custom))
    seen.account(custom.text(*known.USER))
    seen.address(generic.address(custom, seen.gather, "source_ip", known.SOURCE_IP))
