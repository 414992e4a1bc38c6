"""A running portal for the kill tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal import Portal

# A storm takes its time and needs a C compiler: it is for `make chaos`.
collect_ignore = [] if os.environ.get("SOAR_STORM_SECONDS") else ["test_storm.py"]


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal of its own for each test, with fsync on as in production."""
    with tempfile.TemporaryDirectory(prefix="soar-chaos-") as name:
        made = Portal(Path(name) / "data")
        Path(name).chmod(0o711)
        try:
            made.start()
            yield made
        finally:
            made.clean_up()
