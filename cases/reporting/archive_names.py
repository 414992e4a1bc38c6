"""The names of evidence in an archive: what every file system takes, and no way out of the folder."""

from __future__ import annotations

import re

_UNFIT = re.compile(r"[^\w.()@ -]+")
NAME_AT_MOST = 120


def name_of(pk: int, name: str) -> str:
    """``evidence/7-invoice.eml``: unlike any other by the id. The whole name stands in the manifest."""
    fit = _UNFIT.sub("_", name)[-NAME_AT_MOST:].strip(". ")
    return f"evidence/{pk}-{fit or 'file'}"
