"""How the value that a path found becomes a field of the alert. Each gives back whether there was anything to take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases.ingest.mapping.document import LISTS, TEXTS, TIMES
from cases.ingest.normal import Found, NormalAlert
from cases.ingest.severity import mixed_scale, priority_scale, severity_of
from cases.ingest.shapes import as_ip, as_technique
from cases.ingest.text import as_text, cut
from cases.ingest.verdicts import is_closed, verdict_of
from cases.ingest.when import parse_time

Taker = Callable[[NormalAlert, list[Any]], bool]
MOST_ASSETS = 50


def texts_of(found: list[Any]) -> list[str]:
    """All texts and numbers among the values, lists opened."""
    if len(found) == 1 and found[0].__class__ is str:  # nearly always
        text = found[0].strip()
        return [text] if text else []
    flat = [item for value in found for item in (value if isinstance(value, list) else [value])]
    return [text for item in flat if item is not None and item != "" and (text := as_text(item).strip())]


def _text(name: str) -> Taker:
    def take(alert: NormalAlert, found: list[Any]) -> bool:
        value = found[0]
        if value.__class__ is not str:
            value = as_text(value[0] if isinstance(value, list) and value else value)
        text = value.strip()
        if text:
            setattr(alert, name, text)
        return bool(text)

    return take


def _key(alert: NormalAlert, found: list[Any]) -> bool:
    key = " | ".join(texts_of(found))
    if key:
        alert.source_ref = alert.dedup_key = key
    return bool(key)


def _host(alert: NormalAlert, found: list[Any]) -> bool:
    """The name, in place of the one that was guessed, which then is no host and no asset of this alert."""
    name = next(iter(texts_of(found)), "")
    if not name or name == alert.hostname:
        return bool(name)
    _forget(alert, "hostname", "host", alert.hostname, name)
    alert.assets = [{**asset_of(name)}, *(one for one in alert.assets if one.get("name") != alert.hostname)]
    alert.hostname = name
    alert.observables.append(Found("hostname", cut(name.lower(), 255), "host"))
    return True


def _user(alert: NormalAlert, found: list[Any]) -> bool:
    name = next(iter(texts_of(found)), "")
    if not name or name == alert.username:
        return bool(name)
    _forget(alert, "user", "user", alert.username, name)
    alert.username = name
    alert.observables.append(Found("user", cut(" ".join(name.split()).replace("\\\\", "\\"), 255), "user"))
    return True


def _forget(alert: NormalAlert, kind: str, role: str, old: str, new: str) -> None:
    """Take the wrong guess from the observables, and the name itself where text was taken for a domain."""
    gone, own = old.lower(), new.lower()
    alert.observables = [
        one
        for one in alert.observables
        if not (one.type == kind and one.role == role and one.value.lower() == gone)
        and not (one.type == "domain" and one.role == "text" and one.value == own)
    ]


def asset_of(name: str) -> dict[str, Any]:
    """An asset of which only the name is known."""
    return {"name": name, "type": "", "system": "", "addresses": []}


def _address(alert: NormalAlert, found: list[Any]) -> bool:
    for text in texts_of(found):
        if ip := as_ip(text) or _without_port(text):
            alert.source_ip = ip
            alert.observables.insert(0, Found("ip", ip, "source_ip"))
            return True
    alert.notes.append(f"source_ip '{cut(as_text(found[0]), 60)}' is no address")
    return False


def _without_port(text: str) -> str:
    head, _, port = text.rpartition(":")
    return as_ip(head) if port.isdecimal() and head.count(":") != 1 else ""


def _time(name: str) -> Taker:
    def take(alert: NormalAlert, found: list[Any]) -> bool:
        moment = parse_time(found[0], alert.notes)
        if moment is None:
            return False
        setattr(alert, name, moment)
        return True

    return take


def severity_taker(last: str, table: dict[str, str]) -> Taker:
    """Severity by the table, else by words and numbers; under a name such as ``priority`` 1 is the most urgent."""
    scale = priority_scale if "prio" in last.lower() else mixed_scale

    def take(alert: NormalAlert, found: list[Any]) -> bool:
        if alert.notes:
            alert.notes = [note for note in alert.notes if not note.startswith("severity '")]
        word = next((table[key] for text in texts_of(found) if (key := text.lower()) in table), None)
        word = word or severity_of(found[0], alert.notes, scale)
        alert.severity = word or alert.severity
        return word is not None

    return take


def verdict_taker(table: dict[str, str]) -> Taker:
    """The source's verdict; with one, a state that means closed closes the alert (ingest-and-api.md 8a)."""

    def take(alert: NormalAlert, found: list[Any]) -> bool:
        words = texts_of(found)
        verdict = next((table[key] for text in words if (key := text.lower()) in table), None)
        verdict = verdict or next((one for text in words if (one := verdict_of(text))), None)
        alert.determination = verdict or alert.determination
        alert.closed = bool(alert.determination) and is_closed(alert.source_state)
        return verdict is not None

    return take


def _state(alert: NormalAlert, found: list[Any]) -> bool:
    if not _text("source_state")(alert, found):
        return False
    alert.closed = bool(alert.determination) and is_closed(alert.source_state)
    return True


def _tags(alert: NormalAlert, found: list[Any]) -> bool:
    tags = texts_of(found)
    if len(tags) == 1 and "," in tags[0]:
        tags = [tag for part in tags[0].split(",") if (tag := part.strip())]
    alert.tags = tags or alert.tags
    return bool(tags)


def _techniques(alert: NormalAlert, found: list[Any]) -> bool:
    techniques = [normal for text in texts_of(found) if (normal := as_technique(text))]
    alert.techniques = [*techniques, *(one for one in alert.techniques if one not in techniques)]
    return bool(techniques)


def _assets(alert: NormalAlert, found: list[Any]) -> bool:
    names = texts_of(found)[:MOST_ASSETS]
    known = {one.get("name") for one in alert.assets}
    alert.assets = [*alert.assets, *(asset_of(name) for name in dict.fromkeys(names) if name not in known)]
    return bool(names)


TAKERS: dict[str, Taker] = {
    **{name: _text(name) for name in (*TEXTS, "tlp")},
    **{name: _time(name) for name in TIMES},
    **dict(zip(LISTS, (_tags, _techniques, _assets), strict=True)),
    "dedup_key": _key,
    "hostname": _host,
    "username": _user,
    "source_ip": _address,
    "source_state": _state,
}
