"""A report as PDF: the same page, laid out by WeasyPrint in a process of its own with limits (soar.lib.confined)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from cases.errors import CaseError
from cases.reporting.context import tlp_label
from cases.reporting.page import PRINT, STYLE, TONES, framed, inside_of
from soar.lib.confined import Broken, Limits, run

CHILD = Path(__file__).with_name("pdf_child.py")
COLOURS = {"red": "#ff2b2b", "amber": "#ffc000", "green": "#33ff00", "clear": "#ffffff"}  # FIRST, TLP 2.0
logger = logging.getLogger(__name__)


class NoPdf(CaseError):
    """The PDF cannot be made."""

    status = 503
    code = "no_pdf"


def render(document: dict[str, Any], progress: Callable[[int], None]) -> bytes:
    """The file. Raises NoPdf with the reason, and Refused for a template that fails."""
    page = framed(document, f"<main>\n{inside_of(document, progress)}\n</main>", _style(document))
    progress(10)
    limits = Limits(seconds=settings.REPORT_SECONDS, memory=settings.REPORT_MEMORY_MB, output=200)
    try:
        return run(CHILD, page, limits, progress)
    except Broken as error:
        logger.warning("No PDF of %s: %s %s", document["incident"]["number"], error, error.told.get("detail", ""))
        raise NoPdf(
            _("The PDF could not be made: %(error)s HTML can be exported instead.") % {"error": error}
        ) from error


def _style(document: dict[str, Any]) -> str:
    """Our sheets, with the mark and the number of the incident in the margins of each page. Neither is free text."""
    tlp = tlp_label(document["tlp"])
    given = {
        "__TLP__": tlp,
        "__COLOUR__": COLOURS[TONES.get(tlp, "amber")],
        "__NUMBER__": f"INC-{int(document['incident']['id'])}",
        "__AT__": document["generated_at"][:10],
    }
    style = STYLE + PRINT
    for name, value in given.items():
        style = style.replace(name, value)
    return style
