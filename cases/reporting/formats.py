"""The formats in which an incident can be taken out. A new one is a line here and a function elsewhere.

The function is ``render(document, progress)``: the document of ``cases.reporting.document``, plain JSON that it may
not change, and ``progress(percent)`` for what takes long, which raises when nobody wants the result any more. It gives
the whole file as bytes, or its pieces one after the other. What it raises as ``CaseError`` is told to whoever asked. It
asks the database for nothing; files of evidence are opened by hash (``cases.evidence_store.open_file(sha256, size)``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.errors import Refused

Progress = Callable[[int], None]
Rendered = bytes | Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Format:
    """``renderer`` is the dotted name of ``render``: its libraries are loaded when they are needed. ``slow``: made by a
    worker (202 and a job), not while somebody waits for the answer. ``templated``: by one of the report templates.
    ``files``: with the files of evidence, which is written into their custody.
    ``payloads``: with what the alerts were made of, as it came."""

    name: str
    label: str
    content_type: str
    extension: str
    renderer: str
    slow: bool = False
    templated: bool = False
    files: bool = False
    payloads: bool = False
    hint: str = ""

    def render(self, document: dict[str, Any], progress: Progress = lambda _percent: None) -> Rendered:
        """The file, or its pieces."""
        made: Rendered = import_string(self.renderer)(document, progress)
        return made


_FORMATS = [
    Format(
        "pdf",
        gettext_noop("PDF"),
        "application/pdf",
        "pdf",
        "cases.reporting.pdf.render",
        slow=True,
        templated=True,
        hint=gettext_noop("For printing and sending; the TLP stands on every page"),
    ),
    Format(
        "html",
        gettext_noop("HTML"),
        "text/html; charset=utf-8",
        "html",
        "cases.reporting.page.render",
        templated=True,
        hint=gettext_noop("One file without scripts, for a browser"),
    ),
    Format(
        "md",
        gettext_noop("Markdown"),
        "text/markdown; charset=utf-8",
        "md",
        "cases.reporting.markdown.render",
        hint=gettext_noop("Plain text for a wiki or a ticket"),
    ),
    Format(
        "json",
        gettext_noop("JSON"),
        "application/json",
        "json",
        "cases.reporting.json_case.render",
        payloads=True,
        hint=gettext_noop("All of it; another Soar can import it"),
    ),
    Format(
        "csv",
        gettext_noop("CSV timeline"),
        "text/csv; charset=utf-8",
        "csv",
        "cases.reporting.csv_timeline.render",
        hint=gettext_noop("The timeline as a table"),
    ),
    Format(
        "csv-bom",
        gettext_noop("CSV timeline for spreadsheets"),
        "text/csv; charset=utf-8",
        "csv",
        "cases.reporting.csv_timeline.render_bom",
        hint=gettext_noop("The same, marked so that they read it as UTF-8"),
    ),
    Format(
        "stix",
        gettext_noop("STIX 2.1"),
        "application/stix+json;version=2.1",
        "stix.json",
        "cases.reporting.stix.render",
        hint=gettext_noop("A bundle for a threat intelligence platform"),
    ),
    Format(
        "misp",
        gettext_noop("MISP"),
        "application/json",
        "misp.json",
        "cases.reporting.misp.render",
        hint=gettext_noop("An event that MISP imports; not published"),
    ),
    Format(
        "zip",
        gettext_noop("Zip with evidence"),
        "application/zip",
        "zip",
        "cases.reporting.archive.render",
        slow=True,
        files=True,
        payloads=True,
        hint=gettext_noop("Every format, the files of evidence, a signed manifest and a script that verifies it"),
    ),
    Format(
        "zip-sealed",
        gettext_noop("Zip with sealed evidence"),
        "application/zip",
        "zip",
        "cases.reporting.archive.render_sealed",
        slow=True,
        files=True,
        payloads=True,
        hint=gettext_noop("The same, each file of evidence in a zip under the password “infected”"),
    ),
]

FORMATS: dict[str, Format] = {one.name: one for one in _FORMATS}


def format_named(name: str) -> Format:
    """The format of this name. Raises Refused that names those there are."""
    if name not in FORMATS:
        raise Refused(_("Must be one of: %(formats)s.") % {"formats": ", ".join(FORMATS)}, field="format")
    return FORMATS[name]
