"""The full path of a file on its host, as a product that fetches files wants it. Pure."""

from __future__ import annotations

from typing import Any

from soar.connectors.capabilities import Target
from soar.connectors.errors import ConnectorError


def full_path(target: Target, params: dict[str, Any], product: str) -> str:
    """What the author gave (``path``), else what the source told. Raises ConnectorError for a share and for what is no
    full path."""
    told = target.facts.get("file_path")
    path = str(params.get("path") or "").strip() or str(told or "").strip() or target.value.strip()
    if path.startswith(("\\\\", "//")):
        raise ConnectorError(f"{product} collects no file from a share: {path}.", permanent=True)
    if not is_full(path):
        text = f"{product} cannot act on the file {target.value}: it does not tell its full path on the endpoint."
        raise ConnectorError(" ".join(text.split()), permanent=True)
    return path


def is_full(path: str) -> bool:
    """Whether it begins at a root or a drive."""
    return path[:1] == "/" or path[1:3] in {":\\", ":/"}


def program_of(path: str) -> str:
    """The name of the file alone."""
    return path.replace("\\", "/").rpartition("/")[2].strip()
