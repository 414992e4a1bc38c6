"""Which product does what: the table of docs/connectors.md, made from the registry."""

from __future__ import annotations

from collections.abc import Iterator

from soar.connectors.capabilities import CAPABILITIES, Capability
from soar.connectors.kinds import Kind
from soar.connectors.registry import KINDS
from soar.connectors.responder import Responder

OWN = "built-in block list"


def markdown() -> str:
    """The table."""
    rows = [f"| {one.label} (`{one.name}`) | {', '.join(served_by(one))} |" for one in CAPABILITIES.values()]
    return "\n".join(["| action | served by |", "| --- | --- |", *rows])


def served_by(what: Capability) -> list[str]:
    """The names of all that does it, with what they take where that is not everything."""
    return [*_served(what), *([OWN] if what.name in ("block", "unblock") else [])]


def _served(what: Capability) -> Iterator[str]:
    for kind in sorted(KINDS.values(), key=lambda one: one.label.casefold()):
        if issubclass(kind.connector, Responder) and what.name in kind.connector.serves:
            yield _named(kind, what)


def _named(kind: Kind, what: Capability) -> str:
    """Its label, and what it takes where that is not all."""
    assert issubclass(kind.connector, Responder)
    taken = [one for one in what.targets if kind.connector.takes(what.name, one, {})]
    return kind.label if len(taken) == len(what.targets) else f"{kind.label} ({', '.join(taken)})"
