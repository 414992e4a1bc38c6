"""A report as one HTML file: no script, nothing from outside, the TLP above and below each printed page.

A template makes the inside alone. Its markup is cleaned here, whoever wrote it and whatever went into it, and put into
a frame of ours: so no template and no content of an incident can bring in a script, a style, an image or a form.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import nh3
from django.utils.translation import gettext as _

from cases.errors import Refused
from cases.reporting.context import context_of, tlp_label
from cases.reporting.templates import rendered, template_named
from soar.lib.hidden import shown_page

STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
PRINT = Path(__file__).with_name("print.css").read_text(encoding="utf-8")
TAGS = {
    "a", "article", "aside", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "footer",
    "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "ins", "kbd", "li", "main", "mark", "nav", "ol", "p",
    "pre", "s", "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead",
    "time", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "*": {"class", "id", "lang", "dir", "title"},
    "a": {"href"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
TONES = {"TLP:RED": "red", "TLP:CLEAR": "clear", "TLP:GREEN": "green"}
FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Soar">
<meta name="author" content="{author}">
<meta name="dcterms.created" content="{created}">
<meta name="description" content="{description}">
<meta name="keywords" content="{tlp}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
# The head and foot of a table are repeated on each page that a browser prints.
SHEET = """<main><table class="sheet" role="presentation">
<thead><tr><td><p class="tlp tlp-{tone}">{tlp}</p></td></tr></thead>
<tfoot><tr><td><p class="tlp tlp-{tone}">{tlp}</p></td></tr></tfoot>
<tbody><tr><td>
{inside}
</td></tr></tbody></table></main>"""


def render(document: dict[str, Any], progress: Callable[[int], None]) -> bytes:
    """The file."""
    inside = inside_of(document, progress)
    tlp = tlp_label(document["tlp"])
    body = SHEET.format(tlp=tlp, tone=TONES.get(tlp, "amber"), inside=inside)
    return framed(document, body, STYLE)


def preview(document: dict[str, Any], body: str) -> tuple[bytes, str]:
    """What a template that is being written makes of a document, and the policy of the page. Raises Refused."""
    tlp = tlp_label(document["tlp"])
    inside = cleaned(rendered(body, context_of(document, "Preview")))
    return framed(document, SHEET.format(tlp=tlp, tone=TONES.get(tlp, "amber"), inside=inside), STYLE), policy_of(STYLE)


def inside_of(document: dict[str, Any], progress: Callable[[int], None]) -> str:
    """What the chosen template makes of the document, cleaned. Raises Refused."""
    template = template_named(document["options"]["template"])
    progress(2)
    try:
        made = rendered(template.body, context_of(document, template.name))
    except Refused as error:
        raise Refused(
            _("The report template %(name)s fails: %(message)s") % {"name": template.name, "message": error.message},
            field="template",
        ) from error
    progress(8)
    return cleaned(made)


def cleaned(markup: str) -> str:
    """Markup without anything that acts, loads or styles."""
    return nh3.clean(
        markup, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"http", "https"}, link_rel="noopener noreferrer",
        clean_content_tags={"script", "style", "title", "template", "noscript", "iframe", "svg", "math", "object"},
    )  # fmt: skip


def framed(document: dict[str, Any], body: str, style: str) -> bytes:
    """A whole page around a body that is clean."""
    incident = document["incident"]
    page = FRAME.format(
        policy=policy_of(style),
        author=escape(document["generated_by"]["name"]),
        created=escape(document["generated_at"]),
        description=escape(f"{incident['number']}, exported from {document['url']}"),
        tlp=escape(tlp_label(document["tlp"])),
        title=escape(f"{incident['number']} {incident['title']} ({tlp_label(document['tlp'])})"),
        style=style,
        body=body,
    )
    return shown_page(page.encode("utf-8", "replace"))


def policy_of(style: str) -> str:
    """What a browser may do with the page: show it with this very style."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
