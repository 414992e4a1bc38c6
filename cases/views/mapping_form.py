"""The mapping as a form: what was typed to a mapping document and back. The actions check it once more."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from cases.ingest.mapping.document import ANY_TYPE, FIELDS, MOST_OBSERVABLES, TABLES
from cases.ingest.observables import TYPES

LABELS = {
    "title": _("Title"), "description": _("What happened"), "severity": _("Severity"), "dedup_key": _("Source id"),
    "occurred_at": _("Occurred"), "first_seen": _("First seen"), "last_seen": _("Last seen"), "hostname": _("Host"),
    "username": _("User"), "source_ip": _("Address"), "detection_model": _("Detection model"),
    "external_link": _("Link back"), "tags": _("Tags"), "techniques": _("Techniques"), "assets": _("Assets"),
    "source_state": _("State there"), "verdict": _("Verdict there"), "tlp": _("TLP"),
}  # fmt: skip
ITEMS = "items"
BLANKS = 2  # empty lines for observables below those that there are


def data_of(mapping: dict[str, Any]) -> dict[str, Any]:
    """A mapping as the form's values."""
    fields = mapping.get("fields", {})
    tables = mapping.get("values", {})
    return {
        "items": mapping.get("items", ""),
        "fields": {name: fields.get(name, "") for name in FIELDS},
        "tables": {name: _lines(tables.get(name, {})) for name in TABLES},
        "observables": [(one["type"], one["path"]) for one in mapping.get("observables", ())],
        "required": list(mapping.get("required", ())),
        "find_in_text": mapping.get("find_in_text", True),
    }


def typed(post: QueryDict) -> dict[str, Any]:
    """The form's values as they were typed."""
    observables = zip(post.getlist("obs_type"), post.getlist("obs_path"), strict=False)
    return {
        "items": post.get("items", ""),
        "fields": {name: post.get(f"f_{name}", "") for name in FIELDS},
        "tables": {name: post.get(f"v_{name}", "") for name in TABLES},
        "observables": [(kind, path) for kind, path in observables if path.strip()][:MOST_OBSERVABLES],
        "required": [name for name in post.getlist("required") if name in FIELDS],
        "find_in_text": "find_in_text" in post,
    }


def pick(data: dict[str, Any], target: str, path: str) -> str:
    """Put a path that was chosen in the tree where ``target`` says. Returns the target that follows."""
    if target == ITEMS:
        data["items"] = path
    elif target == "observable":
        data["observables"].append((ANY_TYPE, path))
    elif target in FIELDS:
        data["fields"][target] = path
    return target


def document_of(data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The mapping that the values stand for, unchecked, and what is wrong with the tables."""
    errors: dict[str, str] = {}
    tables = {name: _table(name, text, errors) for name, text in data["tables"].items()}
    mapped = {name: path.strip() for name, path in data["fields"].items() if path.strip()}
    return {
        "items": data["items"].strip(),
        "fields": mapped,
        "values": {name: table for name, table in tables.items() if table},
        "observables": [{"type": kind, "path": path.strip()} for kind, path in data["observables"]],
        "required": [name for name in data["required"] if name in mapped],
        "find_in_text": data["find_in_text"],
    }, errors


def types() -> list[str]:
    """Types of observable for the choice."""
    return [ANY_TYPE, *sorted(TYPES)]


def _lines(table: dict[str, str]) -> str:
    return "\n".join(f"{word} = {meant}" for word, meant in table.items())


def _table(name: str, text: str, errors: dict[str, str]) -> dict[str, str]:
    table: dict[str, str] = {}
    for line in text.splitlines():
        word, sign, meant = line.rpartition("=")
        if not line.strip():
            continue
        if not sign or not word.strip():
            errors[f"values.{name}"] = str(_("One pair a line, such as: 1 = %s") % TABLES[name][-1])
        table[word.strip()] = meant.strip().lower()
    return table
