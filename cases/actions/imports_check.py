"""Whether what is imported from another Soar is as it was exported (casework.md 16). It comes in any case: whose key
signed it nobody knows here, but whoever imports it hears what does not fit."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from django.utils.translation import gettext as _

from cases.importing.plan import Json, Plan
from cases.reporting import verify

ALTERED = "the file is not as it was exported; what it says now is taken"
UNREADABLE = (
    OSError, RuntimeError, LookupError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def tell_altered(plan: Plan, document: Json, path: Path) -> None:
    """Tell the report of a plan that was made of this document, in this file, what in its timelines does not fit their
    hashes, and what in an archive is not as its manifest says."""
    found = dict.fromkeys(verify.timeline(document["timeline"], _chains(document)))
    if zipfile.is_zipfile(path):
        found |= dict.fromkeys(_in_archive(path))
    for one in found:
        plan.report.change(one, ALTERED)


def _chains(document: Json) -> dict[str, Json]:
    return {one["subject"]: one for one in document["chains"]}


def _in_archive(path: Path) -> Iterator[str]:
    try:
        yield from verify.findings(path, "")
    except UNREADABLE:
        yield _("there is no manifest by which the archive could be checked")
