"""A playbook whose action leaves a mark outside: so that doubled and forgotten work is seen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from playbooks import action, add_current_alert_comment, playbook


@action
def mark(name: str) -> str:
    """Append one line, in one write, to the file of effects. Not idempotent: it must never run twice silently."""
    descriptor = os.open(Path(os.environ["SOAR_DATA"]) / "effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{name}\n".encode())
    finally:
        os.close(descriptor)
    return name


@playbook(trigger="webhook", conditions={"tags": ["chaos"]}, order=10)
def effects(alert: dict[str, Any]) -> str:
    """One effect outside, one note inside."""
    done = mark(str(alert["source_ref"]))
    add_current_alert_comment(f"marked {done}")
    return "marked"
