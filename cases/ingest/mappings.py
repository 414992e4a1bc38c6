"""The mappings that this process has made ready. A stored version is never changed, so what is known stays true."""

from __future__ import annotations

from functools import lru_cache

from cases.ingest.mapping.overlay import Overlay, compiled
from cases.models import SourceMapping

KNOWN = 512


def overlay_of(mapping_id: int | None) -> Overlay | None:
    """The overlay of a stored version, by its row's id; None where there is nothing to lay over."""
    return None if mapping_id is None else _made(mapping_id)


def forget() -> None:
    """Read every version anew: for whoever puts another database in place under a running process."""
    _made.cache_clear()


@lru_cache(maxsize=KNOWN)
def _made(mapping_id: int) -> Overlay | None:
    row = SourceMapping.objects.filter(pk=mapping_id).only("mapping").first()
    return compiled(row.mapping) if row else None
