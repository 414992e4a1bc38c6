"""The names of evidence in an archive: what every file system takes, and no way out of the folder."""

from __future__ import annotations

import re

_UNFIT = re.compile(r"[^\w.()@ -]+")
BYTES_AT_MOST = 200  # file systems take 255, and the id stands before it, ".zip" behind it


def name_of(pk: int, name: str) -> str:
    """``evidence/7-invoice.eml``: unlike any other by the id. The whole name stands in the manifest."""
    end = _UNFIT.sub("_", name).encode()[-BYTES_AT_MOST:]
    fit = end.decode(errors="ignore").strip(". ")
    return f"evidence/{pk}-{fit or 'file'}"
