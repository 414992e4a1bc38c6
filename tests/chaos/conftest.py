"""A running portal for the kill tests."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal import Portal


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
