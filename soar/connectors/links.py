"""Following the link that a product gives to the rest of a list, with the same secrets, so never to another host."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from soar.connectors.errors import ConnectorError


def following(base: str, link: Any, product: str) -> str | None:
    """The path of ``link`` below the address ``base``, with its query; None for no link. Raises ConnectorError when it
    leads elsewhere."""
    if not isinstance(link, str) or not link:
        return None
    try:
        ours, target = urlsplit(base), urlsplit(link)
    except ValueError:
        raise ConnectorError(f"{product} gives no address that can be read for more.", permanent=True) from None
    root = ours.path.rstrip("/")
    if target.netloc.lower() not in {"", ours.netloc.lower()} or not target.path.startswith(f"{root}/"):
        raise ConnectorError(f"{product} sends to another host ({target.netloc}) for more.", permanent=True)
    return target.path[len(root) :] + (f"?{target.query}" if target.query else "")
