"""Answers of the query interfaces of AWS, which are XML. Pure."""

from __future__ import annotations

from soar.lib.xml_text import parsed

__all__ = ["error_of", "parsed"]


def error_of(text: str) -> tuple[str, str]:
    """Code and message of an error; ("", "") when it is none."""
    try:
        found = parsed(text).find(".//Error")
    except ValueError:
        return "", ""
    if found is None:
        return "", ""
    return (found.findtext("Code") or "")[:100], (found.findtext("Message") or "")[:300]
