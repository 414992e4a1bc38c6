"""Which product does what: the table of docs/connectors.md, made from the registry."""

from __future__ import annotations

from collections.abc import Iterator

from soar.connectors.capabilities import CAPABILITIES, Capability
from soar.connectors.kinds import Kind
from soar.connectors.registry import KINDS
from soar.connectors.responder import Responder

OWN = "built-in block list"
SANDBOX = "Sandboxes of other makers are services of their own; no connector of one is made."
# Why there may be one product alone; shown only while there is.
ALONE = {
    "sandbox_file": SANDBOX,
    "sandbox_url": SANDBOX,
    "delete_message": "Deleting for good; where only quarantine is offered, it is another action.",
}
NOT_MADE = "No other connector that is made here does it yet."


def markdown() -> str:
    """The table."""
    lines = ["| action | served by | if by one alone, why |", "| --- | --- | --- |"]
    for one in CAPABILITIES.values():
        named = [*_served(one), *([OWN] if one.name in ("block", "unblock") else [])]
        why = ALONE.get(one.name, NOT_MADE) if len(named) < 2 else ""
        lines.append(f"| {one.label} (`{one.name}`) | {', '.join(named)} | {why} |")
    return "\n".join(lines)


def _served(what: Capability) -> Iterator[str]:
    for kind in sorted(KINDS.values(), key=lambda one: one.label.casefold()):
        if issubclass(kind.connector, Responder) and what.name in kind.connector.serves:
            yield _named(kind, what)


def _named(kind: Kind, what: Capability) -> str:
    """Its label, and what it takes where that is not all."""
    assert issubclass(kind.connector, Responder)
    taken = [one for one in what.targets if kind.connector.takes(what.name, one, {})]
    return kind.label if len(taken) == len(what.targets) else f"{kind.label} ({', '.join(taken)})"
