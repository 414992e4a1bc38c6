"""A mapping made ready: laid over what a kind has read of a payload (ingest-and-api.md 3).

What a path does not find stays as the kind read it by well-known names, unless the mapping asks for it."""

from __future__ import annotations

from typing import Any

import msgspec

from cases.ingest.mapping.document import ANY_TYPE, FIELDS, TEXTS
from cases.ingest.mapping.takers import TAKERS, Taker, severity_taker, texts_of, verdict_taker
from cases.ingest.mapping.template import Template, is_template
from cases.ingest.normal import Found, NormalAlert, finish
from cases.ingest.observables import guess_type, normalise_observable
from cases.ingest.reading import ITEMS_AT_MOST, Unreadable
from soar.lib.json_path import Path

OUTER = "_document"  # what stands around the items, under this name in each of them
OUTER_AT_MOST = 4 * 1024 * 1024  # bytes that repeating it may cost a delivery
MOST_FOUND = 500
# The verdict is read after the state, which it is joined with.
ORDER = sorted(FIELDS, key=lambda name: name == "verdict")


class Overlay:
    """A mapping that was read once, to be laid over many alerts. ``mapping`` is what ``document.checked`` gave."""

    __slots__ = ("fields", "find_in_text", "items", "mapping", "observables", "required")

    def __init__(self, mapping: dict[str, Any]) -> None:
        self.mapping = mapping
        self.items = Path(mapping["items"]) if mapping.get("items") else None
        self.fields = [_field(name, mapping) for name in ORDER if name in mapping.get("fields", {})]
        self.observables = [(one["type"], Path(one["path"])) for one in mapping.get("observables", ())]
        self.required = frozenset(mapping.get("required", ()))
        self.find_in_text = mapping.get("find_in_text", True)

    def split(self, document: dict[str, Any]) -> list[dict[str, Any]] | None:
        """The alerts that a document holds under ``items``; None when it is one alert. Raises Unreadable."""
        # One more than may be: too many are refused, and not left out without a word.
        found = self.items.find(document, ITEMS_AT_MOST + 1) if self.items else []
        if not self.items or not found:
            return None
        items = found if self.items.several else found[0] if isinstance(found[0], list) else found
        if not items:
            raise Unreadable(400, f"{self.items.text} holds no alerts.")
        if not all(isinstance(item, dict) for item in items):
            raise Unreadable(400, f"{self.items.text} holds something else than objects, so no alerts.")
        outer = self._outer(document, len(items))
        return [{**item, OUTER: outer} for item in items] if outer else list(items)

    def _outer(self, document: dict[str, Any], number: int) -> dict[str, Any]:
        """The fields of the document beside the one that holds the alerts."""
        first = self.items.steps[0] if self.items else ()
        names = {".".join(first[:n]) for n in range(1, len(first) + 1)} if isinstance(first, tuple) else set()
        outer = {key: value for key, value in document.items() if key not in names}
        if outer and len(_encoded(outer)) * number > OUTER_AT_MOST:
            raise Unreadable(413, "What stands around the alerts is too large to be kept with each of them.")
        return outer

    def lay(self, item: dict[str, Any], alert: NormalAlert) -> NormalAlert:
        """``alert``, read from ``item``, with what the mapping finds. Raises Unreadable when something is missing that
        the mapping asks for."""
        for name, source, take in self.fields:
            found = [text] if source.__class__ is Template and (text := source.fill(item)) else _found(source, item)
            if not (found and take(alert, found)) and name in self.required:
                raise Unreadable(400, f"The mapping asks for {name}: {self.mapping['fields'][name]} {_why(found)}.")
        if not self.find_in_text:
            alert.observables = [one for one in alert.observables if one.role != "text"]
        if self.observables:
            alert.observables = [*self._named(item), *alert.observables]
        return finish(alert)

    def taken(self, item: dict[str, Any]) -> set[str]:
        """The fields that the mapping, and not a well-known name, gives the alert of ``item``."""
        blank = NormalAlert(title="")
        names = set()
        for name, source, take in self.fields:
            found = [text] if isinstance(source, Template) and (text := source.fill(item)) else _found(source, item)
            if found and take(blank, found):
                names.add(name)
        return names

    def _named(self, item: dict[str, Any]) -> list[Found]:
        made = []
        for kind, path in self.observables:
            for text in texts_of(path.find(item))[:MOST_FOUND]:
                try:
                    one = (guess_type(text) or "") if kind == ANY_TYPE else kind
                    made.append(Found(one, normalise_observable(one, text), "mapped", True))
                except ValueError:
                    continue
        return made


def _found(source: Path | Template, item: dict[str, Any]) -> list[Any]:
    if source.__class__ is Template:
        return []
    found = source.find(item)  # type: ignore[union-attr]
    return [value for value in found if value != ""] if "" in found else found


def _why(found: list[Any]) -> str:
    return "cannot be read as one" if found else "is missing"


def _field(name: str, mapping: dict[str, Any]) -> tuple[str, Path | Template, Taker]:
    text = mapping["fields"][name]
    source = Template(text) if name in TEXTS and is_template(text) else Path(text)
    table = mapping.get("values", {}).get(name, {})
    if name == "severity":
        return name, source, severity_taker(source.last if isinstance(source, Path) else "", table)
    return name, source, verdict_taker(table) if name == "verdict" else TAKERS[name]


def _encoded(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (UnicodeEncodeError, OverflowError):
        return repr(value).encode("utf-8", "backslashreplace")


def compiled(mapping: dict[str, Any] | None) -> Overlay | None:
    """The overlay of a stored mapping; None where there is nothing to lay over."""
    return Overlay(mapping) if mapping else None
