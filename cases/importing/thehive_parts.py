"""Observables and custom fields of TheHive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cases.importing.plan import Json, ObservablePlan
from cases.importing.reading import Reader
from cases.importing.thehive_words import DATA_TYPES, HASHES
from cases.ingest.iocs import normalise_observable


def observables(given: Any, read: Reader) -> list[ObservablePlan]:
    """Each once. Files come as their hashes; what no type here fits is told."""
    found: dict[tuple[str, str], ObservablePlan] = {}
    for row in read.items(given, "observables"):
        for kind, value in _values(row, read):
            found.setdefault((kind, value), ObservablePlan(kind, value, "ioc" if row.get("ioc") else "imported"))
        if words := read.text(row.get("message"), f"the remark on {row.get('data')!s:.80}", 5_000):
            read.remarks.append(f"`{row.get('data')!s:.500}`: {words}")
    return list(found.values())


def _values(row: Json, read: Reader) -> list[tuple[str, str]]:
    kind = str(row.get("dataType") or "").lower()
    if kind == "file":
        return _file(row, read)
    data = row.get("data")
    texts = data if isinstance(data, list) else [data]
    return [pair for one in texts if (pair := _value(kind, one, read))]


def _value(kind: str, data: Any, read: Reader) -> tuple[str, str] | None:
    text = read.text(data, "an observable", 4_000)
    type_ = HASHES.get(len(text), "") if kind == "hash" else _mapped(kind, text)
    if not type_:
        read.report.leave(f"observable {kind} {text:.80}", "no type here fits")
        return None
    try:
        return type_, normalise_observable(type_, text)
    except ValueError as error:
        read.report.leave(f"observable {kind} {text:.80}", str(error))
        return None


def _mapped(kind: str, text: str) -> str:
    if kind == "ip" and "/" in text:
        return "cidr"
    return DATA_TYPES.get(kind, "")


def _file(row: Json, read: Reader) -> list[tuple[str, str]]:
    """The hashes and the name of an attachment."""
    attached = row.get("attachment")
    files = attached if isinstance(attached, list) else [attached]
    found: list[tuple[str, str]] = []
    for one in files:
        if not isinstance(one, dict):
            continue
        name = read.line(one.get("name"), "a file's name", 255)
        read.report.leave(f"the file {name}", "its bytes do not stand in the JSON: add it as evidence")
        hashes = one.get("hashes")
        for text in hashes if isinstance(hashes, list) else []:
            if pair := _value("hash", text, read):
                found.append(pair)
        if pair := _value("filename", name, read):
            found.append(pair)
    return found


def custom_fields(given: Any, read: Reader) -> str:
    """A Markdown table of name and value; of 4 an object by name, of 5 a list."""
    rows: list[tuple[str, str]] = []
    if isinstance(given, dict):
        for name, held in given.items():
            rows.append((str(name), _held(held)))
    for one in read.items(given if isinstance(given, list) else None, "custom fields"):
        rows.append((str(one.get("name") or ""), _plain(one.get("value"), one.get("type"))))
    lines = [f"| {_cell(name, read)} | {_cell(value, read)} |" for name, value in rows[:200] if name and value]
    return "\n".join(["| Field | Value |", "| --- | --- |", *lines]) if lines else ""


def _held(held: Any) -> str:
    if not isinstance(held, dict):
        return _plain(held, None)
    kinds = [name for name in ("string", "integer", "float", "boolean", "date") if held.get(name) is not None]
    return _plain(held[kinds[0]], kinds[0]) if kinds else ""


def _plain(value: Any, kind: Any) -> str:
    if value is None or value == "":
        return ""
    if kind == "date" and isinstance(value, int | float):
        try:
            return datetime.fromtimestamp(value / 1000, UTC).isoformat()
        except (ValueError, OverflowError, OSError):
            return str(value)
    return str(value)


def _cell(text: str, read: Reader) -> str:
    return read.line(text, "a custom field", 1_000).replace("|", "\\|")
