"""A mapping as it is written down, stored and sent: checked, and its parts in one form.

{"items": "$.events", "find_in_text": true,
 "fields": {"title": "${type} at ${door.name}", "severity": "$.priority"},
 "values": {"severity": {"1": "critical"}, "verdict": {"closed - fp": "benign"}},
 "observables": [{"type": "ip", "path": "$.door.controller_ip"}],
 "required": ["title"]}
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.ingest.mapping.template import Template, is_template
from cases.ingest.observables import TYPES
from cases.ingest.severity import CRITICAL, HIGH, INFORMATIONAL, LOW, MEDIUM
from cases.ingest.text import clean_text
from soar.lib.json_path import BadPath, Path

# Everything that may be mapped, in the order in which it is shown.
TEXTS = (
    *("title", "description", "dedup_key", "detection_model", "hostname", "username"),
    *("external_link", "source_state"),
)
TIMES = ("occurred_at", "first_seen", "last_seen")
LISTS = ("tags", "techniques", "assets")
FIELDS = (
    *("title", "description", "severity", "dedup_key", *TIMES, "hostname", "username", "source_ip"),
    *("detection_model", "external_link", *LISTS, "source_state", "verdict", "tlp"),
)
SEVERITIES = (INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL)
VERDICTS = ("benign", "suspicious", "malicious")
TABLES = {"severity": SEVERITIES, "verdict": VERDICTS}
ANY_TYPE = "auto"
MOST_OBSERVABLES = 30
MOST_WORDS = 100
LONGEST_WORD = 200
UNFIT = gettext_noop("It holds a character that cannot be stored.")
KEYS = ("items", "fields", "values", "observables", "required", "find_in_text")


class BadMapping(ValueError):
    """What is wrong with a mapping: a sentence for each place (``fields.title``, ``observables.0``, ``items`` ...)."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{place}: {text}" for place, text in errors.items()))
        self.errors = errors


def checked(given: Any) -> dict[str, Any]:
    """The mapping with empty parts left out. Raises BadMapping with all that is wrong."""
    if not isinstance(given, dict):
        raise BadMapping({"mapping": _("A mapping is a JSON object.")})
    errors = {
        str(key)[:60]: _("Not a part of a mapping: %(keys)s.") % {"keys": ", ".join(KEYS)}
        for key in given
        if key not in KEYS
    }
    fields = _fields(given.get("fields"), errors)
    made: dict[str, Any] = {
        "items": _path(given.get("items"), "items", errors),
        "fields": fields,
        "values": _values(given.get("values"), errors),
        "observables": _observables(given.get("observables"), errors),
        "required": _required(given.get("required"), fields, errors),
        **({"find_in_text": False} if _off(given.get("find_in_text", True), errors) else {}),
    }
    if errors:
        raise BadMapping(errors)
    return {key: value for key, value in made.items() if value or key == "find_in_text"}


def _off(value: Any, errors: dict[str, str]) -> bool:
    if not isinstance(value, bool):
        errors["find_in_text"] = _("This is true or false.")
    return value is False


def _path(value: Any, place: str, errors: dict[str, str], *, text: bool = False) -> str:
    """A path, or with ``text`` a template of several; "" where there is nothing."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str):
        errors[place] = _("A path is a text.")
        return ""
    path = value.strip()
    if clean_text(path)[1]:
        errors[place] = _(UNFIT)
        return ""
    try:
        if text and is_template(path):
            Template(path)
        elif path:
            Path(path)
    except BadPath as error:
        errors[place] = str(error)
    return path


def _fields(given: Any, errors: dict[str, str]) -> dict[str, str]:
    if not isinstance(given or {}, dict):
        errors["fields"] = _("The fields are an object: the name of a field and its path.")
        return {}
    for name in given or {}:
        if name not in FIELDS:
            errors[f"fields.{str(name)[:60]}"] = _("Not a field. Those that can be mapped: %(fields)s.") % {
                "fields": ", ".join(FIELDS)
            }
    found = ((name, _path((given or {}).get(name), f"fields.{name}", errors, text=name in TEXTS)) for name in FIELDS)
    return {name: path for name, path in found if path}


def _values(given: Any, errors: dict[str, str]) -> dict[str, dict[str, str]]:
    if not isinstance(given or {}, dict):
        errors["values"] = _("The tables are an object: severity, verdict.")
        return {}
    for name in given or {}:
        if name not in TABLES:
            errors[f"values.{str(name)[:60]}"] = _("There are tables for severity and verdict.")
    tables = {name: _table(name, (given or {}).get(name), errors) for name in TABLES}
    return {name: table for name, table in tables.items() if table}


def _table(name: str, given: Any, errors: dict[str, str]) -> dict[str, str]:
    place = f"values.{name}"
    if not isinstance(given or {}, dict) or len(given or {}) > MOST_WORDS:
        errors[place] = _("A table is an object of at most %(most_words)s pairs.") % {"most_words": MOST_WORDS}
        return {}
    table: dict[str, str] = {}
    for word, meant in (given or {}).items():
        if meant not in TABLES[name]:
            errors[place] = _("'%(meant)s' is not one of: %(tables)s.") % {
                "meant": str(meant)[:40],
                "tables": ", ".join(TABLES[name]),
            }
        elif clean_text(str(word))[1]:
            errors[place] = _(UNFIT)
        elif not str(word).strip() or len(str(word)) > LONGEST_WORD:
            errors[place] = _("A value has 1 to %(longest_word)s characters.") % {"longest_word": LONGEST_WORD}
        else:
            table[str(word).strip().lower()] = meant
    return table


def _observables(given: Any, errors: dict[str, str]) -> list[dict[str, str]]:
    if not isinstance(given or [], list) or len(given or []) > MOST_OBSERVABLES:
        errors["observables"] = _(
            "The observables are a list of at most %(most_observables)s: type and path of each."
        ) % {"most_observables": MOST_OBSERVABLES}
        return []
    made = []
    for number, one in enumerate(given or []):
        place = f"observables.{number}"
        if not isinstance(one, dict) or not set(one) <= {"type", "path"}:
            errors[place] = _("An observable has a type and a path.")
            continue
        kind = one.get("type") or ANY_TYPE
        if not isinstance(kind, str) or kind not in (ANY_TYPE, *TYPES):
            errors[place] = _("'%(kind)s' is not a type of observable.") % {"kind": str(kind)[:40]}
        if path := _path(one.get("path"), place, errors):
            made.append({"type": kind, "path": path})
    return made


def _required(given: Any, fields: dict[str, str], errors: dict[str, str]) -> list[str]:
    if not isinstance(given or [], list):
        errors["required"] = _("A list of names of fields.")
        return []
    for name in given or []:
        if not isinstance(name, str) or name not in fields:
            errors["required"] = _("'%(name)s' is not mapped, so it cannot be asked for.") % {"name": str(name)[:40]}
    return [name for name in FIELDS if name in (given or [])]
