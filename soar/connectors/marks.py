"""Our key as it stands in a comment or description at a product, by which a task is found again."""

from __future__ import annotations

import hashlib


def mark(key: str) -> str:
    """The mark of a task's key."""
    short = key if len(key) <= 100 else hashlib.sha256(key.encode()).hexdigest()
    return f"Soar [{short}]"
