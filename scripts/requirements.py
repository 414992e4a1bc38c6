"""Prints what pyproject.toml requires, a line each: ``run`` for the portal, ``dev`` with tests and checks too."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(kind: str) -> list[str]:
    """The requirements for ``kind``."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    found: list[str] = project["project"]["dependencies"]
    return found + (project["dependency-groups"]["dev"] if kind == "dev" else [])


if __name__ == "__main__":
    print("\n".join(requirements(sys.argv[1])))
