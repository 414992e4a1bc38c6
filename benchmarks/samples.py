"""Alerts for measuring: about 450 bytes, with or without four observables."""

from __future__ import annotations

import json

PAD = "The process was started by an interactive session and matched the rule of the week. "


def plain(number: int) -> dict[str, object]:
    """An alert that names no observable."""
    return {
        "id": f"bench-{number}",
        "title": f"Suspicious process number {number} started",
        "severity": ("low", "medium", "high", "critical")[number % 4],
        "rule": "Suspicious process",
        "tags": ["bench", f"t{number % 12}"],
        "description": PAD * 3,
    }


def with_observables(number: int) -> dict[str, object]:
    """An alert with four observables of its own and a host."""
    a, b = number // 250 % 250, number % 250
    return {
        **plain(number),
        "description": PAD,
        "source_ip": f"203.{number // 62500 % 250}.{a}.{b + 1}",
        "url": f"https://host{number}.bench-site.com/login",
        "sha256": f"{number:064x}",
        "sender": f"user{number}@bench-mail.com",
    }


def body(alert: dict[str, object] | list[dict[str, object]]) -> bytes:
    """As it goes over the wire."""
    return json.dumps(alert).encode()
