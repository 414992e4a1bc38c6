"""What the mapping editor shows: the lines of a sample, a row for each field, the alerts that come of it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.ingest.mapping import tree
from cases.ingest.mapping.document import FIELDS, TABLES, BadMapping, checked
from cases.ingest.mapping.fit import parts_of, short
from cases.ingest.mapping.overlay import Overlay
from cases.ingest.mapping.template import HOLE
from cases.ingest.mapping_preview import Preview, got, preview
from cases.ingest.pipeline import rules_of
from cases.ingest.reading import Unreadable
from cases.models import AlertSource
from cases.views.mapping_form import BLANKS, ITEMS, LABELS, document_of, types
from cases.views.mapping_samples import Sample
from cases.views.mapping_unread import unread
from soar.lib.json_path import BadPath, Path

PATHS_AT_MOST = 300
BY = {
    "mapping": gettext_lazy("mapped"),
    "name": gettext_lazy("well-known name"),
    "source": gettext_lazy("the source's rule"),
}
FACTS = [name for name in FIELDS if name not in ("title", "severity")]


def draft(source: AlertSource, data: dict[str, Any], sample: Sample, errors: dict[str, str] | None) -> dict[str, Any]:
    """The context of the regions that follow what is typed: tree, fields and result."""
    document, wrong = document_of(data)
    overlay: Overlay | None = None
    faulty = bool(wrong)
    try:
        mapping = checked(document)
        overlay = Overlay(mapping) if mapping else None
    except BadMapping as error:
        wrong |= error.errors
        faulty = True
    made = (
        preview(rules_of(source), overlay, sample.text.encode("utf-8", "surrogatepass")) if sample.text else Preview()
    )
    part, shown_part = _part(overlay, sample)
    found = got(overlay, part)
    wrong = {**(errors or {}), **wrong}
    return {
        **_tree(part if shown_part else _whole(sample), data),
        "shown_part": shown_part,
        "rows": [_row(name, data, found, wrong) for name in FIELDS],
        "items_error": wrong.get(ITEMS, ""),
        "observables": _observables(data, found, wrong),
        "mapping_error": wrong.get("mapping", "") or wrong.get("observables", "") or wrong.get("required", ""),
        "mapped": len(document["fields"]),
        "all_fields": len(FIELDS),
        "preview": made,
        "unread": None if faulty else unread(source, overlay),
        "alert": _alert(made.alerts[0]) if made.alerts else None,
        "others": [one["title"] for one in made.alerts[1:]],
        "wrong": wrong,
    }


def _part(overlay: Overlay | None, sample: Sample) -> tuple[dict[str, Any] | None, bool]:
    """The first alert of the sample, and whether it is a part of a document that holds several."""
    if not sample.documents:
        return None, False
    try:
        part = parts_of(overlay, [sample.documents[0]])[0]
    except (Unreadable, IndexError):
        part = sample.documents[0]
    return part, part is not sample.documents[0]


def _whole(sample: Sample) -> Any:
    return sample.documents[0] if sample.documents else None


def _tree(value: Any, data: dict[str, Any]) -> dict[str, Any]:
    lines, more = tree.lines_of(value) if value is not None else ([], False)
    used = _used(data)
    shown = [{**line._asdict(), "used": bool(line.path) and _same(line.path) in used} for line in lines]
    return {"lines": shown, "more_lines": more, "paths": tree.paths_of(lines)[:PATHS_AT_MOST]}


def _used(data: dict[str, Any]) -> set[Path]:
    texts = [data["items"], *data["fields"].values(), *(path for _, path in data["observables"])]
    paths = [path for text in texts for path in (HOLE.findall(text) if "${" in text else [text])]
    return {path for text in paths if text.strip() and (path := _same(text)) is not None}


def _same(text: str) -> Path | None:
    try:
        return Path(text)
    except BadPath:
        return None


def _row(name: str, data: dict[str, Any], found: dict[str, list[Any]], wrong: dict[str, str]) -> dict[str, Any]:
    value = data["fields"][name]
    return {
        "name": name,
        "label": LABELS[name],
        "value": value,
        "table": data["tables"].get(name),
        "has_table": name in TABLES,
        "table_error": wrong.get(f"values.{name}", ""),
        "words": ", ".join(TABLES.get(name, ())),
        "error": wrong.get(f"fields.{name}", "") or wrong.get(name, ""),
        "got": _said(value, found.get(name)),
        "required": name in data["required"],
    }


def _said(value: str, found: list[Any] | None) -> str:
    if not value.strip() or found is None:
        return ""
    return short(found) if found else _("nothing in this sample")


def _observables(data: dict[str, Any], found: dict[str, list[Any]], wrong: dict[str, str]) -> dict[str, Any]:
    rows = [*data["observables"], *[("auto", "")] * BLANKS]
    return {
        "types": types(),
        "rows": [
            {
                "number": number,
                "number_text": str(number),
                "type": kind,
                "path": path,
                "got": _said(path, found.get(f"observables.{number}")),
                "error": wrong.get(f"observables.{number}", ""),
            }
            for number, (kind, path) in enumerate(rows)
        ],
    }


def _alert(alert: dict[str, Any]) -> dict[str, Any]:
    """The first resulting alert: severity, title, facts with who gave them, observables."""
    by = alert["by"]
    facts = [
        {
            "label": LABELS[name],
            "value": ", ".join(alert[name]) if isinstance(alert[name], list) else alert[name],
            "by": BY[by[name]],
            "mapped": by[name] == "mapping",
        }
        for name in FACTS
        if alert[name]
    ]
    return {
        **alert,
        "facts": facts,
        "title_by": BY[by["title"]] if "title" in by else "",
        "severity_by": BY[by["severity"]],
    }
