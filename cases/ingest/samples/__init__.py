"""One believable sample of each kind of source, for "send a sample" and for a first try by hand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent


@lru_cache(maxsize=64)
def sample_of(kind: str) -> str:
    """The sample of a kind as JSON text; a plain one for a kind that has none of its own."""
    file = FOLDER / f"{kind}.json"
    return (file if file.is_file() else FOLDER / "generic.json").read_text(encoding="utf-8")
