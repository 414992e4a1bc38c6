"""The names of evidence in an archive: what every file system takes, and no way out of the folder."""

from __future__ import annotations

import re

_UNFIT = re.compile(r"[^\w.()@ -]+")
BYTES_AT_MOST = 200  # file systems take 255, and the id stands before it, ".zip" behind it


def name_of(pk: int, name: str) -> str:
    """``evidence/7-invoice.eml``: unlike any other by the id. The whole name stands in the manifest."""
    fit = end_of(_UNFIT.sub("_", name)).strip(". ")
    return f"evidence/{pk}-{fit or 'file'}"


def end_of(name: str) -> str:
    """As much of a name as file systems take: its end, by which programs know what it is. Letters of other scripts than
    the Latin take up to four bytes each."""
    return name.encode()[-BYTES_AT_MOST:].decode(errors="ignore")
