"""How many queries a page takes, written down in query_counts.json; a test that finds more prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

WRITTEN = Path(__file__).parent / "query_counts.json"
AT_MOST = 20  # interface.md 9


@contextmanager
def counted(name: str) -> Iterator[None]:
    """Run the block and compare its queries with the number written down under ``name``.

    Fewer are a failure as well: then the number is to be lowered, so that it means something."""
    with CaptureQueriesContext(connection) as found:
        yield
    written = json.loads(WRITTEN.read_text(encoding="utf-8")).get(name)
    number = len(found.captured_queries)
    told = "\n".join(f"{n:>2}  {one['sql'][:400]}" for n, one in enumerate(found.captured_queries, 1))
    assert number == written, f"{name}: {number} queries, {written} are written down.\n{told}"
    assert number < AT_MOST, f"{name}: {number} queries are too many.\n{told}"
