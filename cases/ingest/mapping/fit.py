"""Whether a mapping fits the samples that it was made for: what it does not find, beside the field."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext as _

from cases.ingest.mapping.overlay import Overlay
from cases.ingest.mapping.takers import texts_of
from cases.ingest.mapping.template import Template
from cases.ingest.normal import NormalAlert
from cases.ingest.reading import BODY_AT_MOST, Unreadable, read
from soar.lib.json_path import Path

Document = dict[str, Any]
PARTS_AT_MOST = 50  # alerts of one sample that are looked at


def documents_of(text: str) -> list[Document]:
    """The JSON objects of a sample: one, or those of a list or of NDJSON. Raises Unreadable if one is no object."""
    items, _ = read(text.encode("utf-8", "surrogatepass"), "", BODY_AT_MOST)
    for item in items:
        if item.error:
            raise item.error
    return [item.value for item in items]


def misfits(overlay: Overlay, samples: dict[str, list[Document]]) -> dict[str, str]:
    """Sentences by field (``title``, ``observables.0``, ``items``) for what does not fit.

    A path must lead to something in one sample at least, that of a field which is asked for in every one; what it finds
    must be readable in all of them."""
    found: set[str] = set()
    errors: dict[str, str] = {}
    for name, documents in samples.items():
        try:
            parts = parts_of(overlay, documents)
        except Unreadable as error:
            errors.setdefault("items", _("%(message)s (sample %(name)s)") % {"message": error.message, "name": name})
            continue
        for part in parts[:PARTS_AT_MOST]:
            _try(overlay, part, name, found, errors)
    wanted = {name: overlay.mapping["fields"][name] for name, _, _ in overlay.fields}
    wanted |= {f"observables.{number}": path.text for number, (_kind, path) in enumerate(overlay.observables)}
    for field, path in wanted.items():
        if field not in found and samples and "items" not in errors:
            errors.setdefault(field, _("%(path)s is in no sample.") % {"path": path})
    if (
        samples
        and overlay.items
        and not any(overlay.items.find(one) for documents in samples.values() for one in documents)
    ):
        errors.setdefault("items", _("%(text)s is in no sample.") % {"text": overlay.items.text})
    return errors


def parts_of(overlay: Overlay | None, documents: list[Document]) -> list[Document]:
    """The alerts of these documents. Raises Unreadable."""
    if overlay is None:
        return documents
    return [part for one in documents for part in (overlay.split(one) or [one])]


def _try(overlay: Overlay, part: Document, sample: str, found: set[str], errors: dict[str, str]) -> None:
    for name, source, take in overlay.fields:
        values = values_of(source, part)
        if values:
            found.add(name)
            if not take(NormalAlert(title=""), values):
                errors.setdefault(
                    name,
                    gettext("What stands there cannot be read as one: %(values)s (sample %(sample)s).")
                    % {"values": short(values), "sample": sample},
                )
        elif name in overlay.required:
            errors.setdefault(
                name,
                gettext("%(fields)s is not in the sample %(sample)s.")
                % {"fields": overlay.mapping["fields"][name], "sample": sample},
            )
    for number, (_kind, path) in enumerate(overlay.observables):
        if texts_of(path.find(part)):
            found.add(f"observables.{number}")


def values_of(source: Path | Template, part: Document) -> list[Any]:
    """What a path or a text with paths gives for one alert."""
    if isinstance(source, Template):
        text = source.fill(part)
        return [text] if text else []
    return [value for value in source.find(part) if value != ""]


def short(values: list[Any]) -> str:
    """Values in a line."""
    text = ", ".join(texts_of(values)) or str(values[0])
    return text if len(text) <= 80 else text[:79] + "…"
