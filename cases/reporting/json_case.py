"""An incident as JSON: the document itself, which ``manage.py import soar`` reads again (casework.md 16).

Its shape is ``incident.schema.json`` beside this file."""

from __future__ import annotations

import json
from typing import Any


def render(document: dict[str, Any], _progress: object = None) -> bytes:
    """The whole document in UTF-8, indented for people."""
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
