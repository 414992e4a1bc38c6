"""Any JSON: well-known names are tried in order (ingest-and-api.md 3), the best there is makes the title."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cases.ingest.flat import Flat, objects, string
from cases.ingest.gather import Gather
from cases.ingest.normal import NormalAlert, finish
from cases.ingest.severity import Scale, mixed_scale, percent_scale, priority_scale, severity_of
from cases.ingest.shapes import as_ip
from cases.ingest.sources import known
from cases.ingest.text import as_text, cut
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

LONGEST_STORY_TITLE = 200
SHORT_NUMBER = re.compile(r"[0-9]{1,6}")  # "event_id": 4625 names a kind of event, not this one
TLP = re.compile(r"(?i)\btlp[:=\s_-]*(clear|white|green|amber\+strict|amber|red)\b")
OBSERVABLE_TYPES = {
    "hostname": "hostname", "fqdn": "domain", "filename": "file_name", "filepath": "file_path", "ipv4": "ip",
    "ipaddr": "ip", "ipaddress": "ip", "ipv6": "ip", "mail": "email", "emailaddress": "email", "uri": "url",
    "username": "user", "useraccount": "user", "account": "user", "registry": "registry_key", "regkey": "registry_key",
    "filesha256": "sha256", "filesha1": "sha1", "filemd5": "md5", "macaddress": "mac", "dns": "domain",
}  # fmt: skip


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of any JSON object; unknown values become notes, never errors."""
    return read(item, Flat(item, known.WRAPPERS))


def read(
    item: dict[str, Any], flat: Flat, title: Callable[[Flat, list[str]], str] | None = None, scale: Scale = mixed_scale
) -> NormalAlert:
    """What the well-known names of ``flat`` say; ``title`` and ``scale`` replace the generic reading of those."""
    notes: list[str] = []
    gather = Gather()
    alert = NormalAlert(title=(title or title_of)(flat, notes), notes=notes)
    alert.severity = severity(flat, notes, scale)
    alert.description = description_of(flat, alert.title, notes)
    alert.source_ref = alert.dedup_key = identity(flat)
    alert.detection_model = flat.text(*known.MODEL)
    alert.occurred_at = parse_time(flat.first(*known.OCCURRED), notes)
    alert.first_seen = parse_time(flat.first(*known.FIRST_SEEN))
    alert.last_seen = parse_time(flat.first(*known.LAST_SEEN))
    alert.external_link = flat.text(*known.LINK)
    alert.tags = tags(flat)
    alert.tlp = tlp(flat, alert.tags)
    state(alert, flat)
    people_and_places(alert, flat, gather)
    named(flat, gather)
    gather.link(alert.external_link)
    gather.technique(*(flat.fields[name] for name in known.TECHNIQUES if name in flat.fields))
    gather.payload(item)
    return complete(alert, gather)


def complete(alert: NormalAlert, gather: Gather) -> NormalAlert:
    """``alert`` with what was gathered, its limits kept."""
    alert.observables = gather.found()
    alert.techniques = [*alert.techniques, *gather.techniques]
    return finish(alert)


def title_of(flat: Flat, notes: list[str]) -> str:
    """The title by name, else the first line of what the payload tells, else its fields in a sentence."""
    value = flat.first(*known.TITLE)
    if value is not None and not isinstance(value, str | int | float):
        notes.append("the title was no text; it is kept as JSON")
        return as_text(value)
    named_title = flat.text(*known.TITLE)
    if named_title.strip():
        return named_title
    story = (flat.text(*known.STORY) or deep_title(flat)).strip()
    if story:
        return cut(story.splitlines()[0].strip(), LONGEST_STORY_TITLE)
    return fields_title(flat.fields)


def deep_title(flat: Flat) -> str:
    """The first text, however deep, in a field that is called like a title; the best name first."""
    best = (len(known.DEEP_TITLE), "")
    for path, value in flat.fields.items():
        rank = known.DEEP_TITLE.get(path.rpartition(".")[2], best[0])
        if rank < best[0] and isinstance(value, str) and value.strip():
            best = (rank, value)
    return best[1]


def fields_title(fields: dict[str, Any], lead: str = "Alert") -> str:
    """A sentence of the first telling fields: ``Alert: sourcetype mongod, count 8``."""
    pairs = [f"{name} {string(value)}" for name, value in fields.items() if string(value) and len(string(value)) <= 80]
    if pairs:
        return cut(f"{lead}: {', '.join(pairs[:4])}", LONGEST_STORY_TITLE)
    names = [name for name in fields if name]
    return (
        cut(f"{lead} with the fields {', '.join(names[:6])}", LONGEST_STORY_TITLE)
        if names
        else f"{lead} without fields"
    )


def severity(flat: Flat, notes: list[str], scale: Scale = mixed_scale) -> str | None:
    """From severity words and numbers, else a priority (1 is most urgent), else a risk score in percent."""
    value = flat.first(*known.SEVERITY)
    if value is not None:
        return severity_of(value, notes, scale)
    value = flat.first(*known.PRIORITY)
    if value is not None:
        return severity_of(value, notes, priority_scale)
    return severity_of(flat.first(*known.SCORE), [], percent_scale)


def description_of(flat: Flat, title: str, notes: list[str]) -> str:
    """The first description that says more than the title; an object is kept as JSON, with a note."""
    for name in known.DESCRIPTION:
        if name not in flat.fields:
            continue
        value = flat.fields[name]
        if isinstance(value, dict | list) and name == "description" and value:
            notes.append("the description was no text; it is kept as JSON")
            return as_text(value)
        text = string(value)
        if text and text != title:
            return text
    return ""


def identity(flat: Flat) -> str:
    """The sender's own id of this alert; short numbers count only under names that mean an alert."""
    for name in known.IDENTITY:
        value = string(flat.first(name)) if name in flat.fields else ""
        if value and not (name in {"eventid", "event.id"} and SHORT_NUMBER.fullmatch(value)):
            return value
    return ""


def tags(flat: Flat) -> list[str]:
    """Tags of a list, of a text with commas, or of an object's pairs (``team:soc``)."""
    for name in known.TAGS:
        if name not in flat.fields:
            continue
        value = flat.fields.get(name)
        if isinstance(value, str) and value.strip():
            return [tag.strip() for tag in value.split(",")]
        if isinstance(value, dict) and value and name in {"labels", "tags"}:
            return [f"{key}:{string(item)}" for key, item in value.items() if string(item)]
        if isinstance(value, list) and value:
            return [as_text(tag) for tag in value if tag not in (None, "")]
    return []


def tlp(flat: Flat, found_tags: list[str]) -> str:
    """The traffic light of a field or a tag, in lower case (``amber``); white is called clear."""
    match = TLP.search("tlp:" + flat.text("tlp", "tlplabel")) or TLP.search("\n".join(found_tags))
    return match[1].lower().replace("white", "clear") if match else ""


def state(alert: NormalAlert, flat: Flat) -> None:
    """Set the source's state and, where the source gives one, its verdict."""
    alert.source_state = flat.text(*known.STATE)
    alert.determination = next(
        (verdict for name in known.VERDICT if name in flat.fields and (verdict := verdict_of(flat.fields[name]))), None
    )
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)


def people_and_places(alert: NormalAlert, flat: Flat, gather: Gather) -> None:
    """Host, user and addresses: in the alert's own columns, as observables, and the host as an asset."""
    alert.source_ip = address(flat, gather, "source_ip", known.SOURCE_IP)
    address(flat, gather, "destination_ip", known.DEST_IP)
    alert.hostname = host_name(flat)
    alert.username = flat.text(*known.USER)
    gather.name("hostname", alert.hostname, "host")
    gather.name("user", alert.username, "user")
    if alert.hostname:
        alert.assets = [asset(alert.hostname, flat.text("host.os.name", "os", "os.name"), own_addresses(flat))]


def asset(name: str, system: str = "", addresses: list[str] | None = None, kind: str = "") -> dict[str, Any]:
    """Plain facts about an endpoint, as they are kept in the alert's entities."""
    return {"name": name, "type": kind, "system": system, "addresses": addresses or []}


def own_addresses(flat: Flat) -> list[str]:
    """The host's own addresses."""
    return [ip for text in flat.texts("host.ip", "agent.ip", "hostip") if (ip := as_ip(text))]


def host_name(flat: Flat) -> str:
    """The first name of a host that is no bare address; failing that the address."""
    fallback = ""
    for name in known.HOST:
        text = flat.text(name).strip() if name in flat.fields else ""
        if text and not as_ip(text):
            return text
        fallback = fallback or text
    return fallback


def address(flat: Flat, gather: Gather, role: str, names: tuple[str, ...]) -> str:
    """The first address under ``names`` (a port after it is dropped); every address of that field is gathered."""
    for name in names:
        if name not in flat.fields:
            continue
        hits = [ip for text in flat.texts(name) if (ip := as_ip(text.strip()) or _without_port(text))]
        for ip in hits:
            gather.add("ip", ip, role)
        if hits:
            return hits[0]
    return ""


def _without_port(text: str) -> str:
    head, _, port = text.strip().rpartition(":")
    return as_ip(head) if port.isdecimal() and head.count(":") != 1 else ""


def named(flat: Flat, gather: Gather) -> None:
    """Observables whose field's name tells what they are, then lists of observables."""
    for path, value in flat.fields.items():
        role = known.role_of(path)
        if role and (value.__class__ is str or value.__class__ is list):
            if role[0]:
                gather.add(role[0], value, role[1])
            else:
                gather.guess(value, role[1])
    for name in known.LISTS:
        if name in flat.fields:
            listed(flat.fields[name], gather)


def listed(value: Any, gather: Gather) -> None:
    """A sender's own list: ``[{"type", "value"}]``, ``{"ips": [...]}`` or plain texts; these are highlighted."""
    if isinstance(value, dict) and not any(key in value for key in ("value", "data", "indicator")):
        for part in value.values():
            listed(part, gather)
        return
    if isinstance(value, list):
        gather.guess([item for item in value if isinstance(item, str)], "listed", highlighted=True)
    for item in objects(value):
        one = Flat(item)
        text = one.text("value", "data", "indicator", "ioc", "observable")
        kind = one.text("type", "datatype", "kind", "indicatortype").lower().replace("_", "").replace("-", "")
        kind = OBSERVABLE_TYPES.get(kind, one.text("type", "datatype").lower())
        gather.add(kind, text, "listed", highlighted=True) or gather.guess(text, "listed", highlighted=True)
