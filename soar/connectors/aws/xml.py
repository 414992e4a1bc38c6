"""Answers of the query interfaces of AWS, which are XML. Pure."""

from __future__ import annotations

from xml.etree import ElementTree

LONGEST = 1024 * 1024


def parsed(text: str) -> ElementTree.Element:
    """The document, its names without name spaces. Raises ValueError for what is none, or declares a type."""
    if len(text) > LONGEST or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("no answer of AWS")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  see above
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def error_of(text: str) -> tuple[str, str]:
    """Code and message of an error; ("", "") when it is none."""
    try:
        found = parsed(text).find(".//Error")
    except ValueError:
        return "", ""
    if found is None:
        return "", ""
    return (found.findtext("Code") or "")[:100], (found.findtext("Message") or "")[:300]
