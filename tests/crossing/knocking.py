"""One knock at a door of the world, which leaves nothing behind, and what the answer tells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from tests.crossing import bodies
from tests.crossing.operations import Operation
from tests.crossing.world import World

ABSENT = "absent"
# Tokens of forms, of the policy for scripts, and of the request; numbers, and keys of suggestions.
_LOT = re.compile(r"[A-Za-z0-9]{64}|(?<=nonce[-=])[\"\w+/=-]+|\b[0-9a-f]{8,}\b|\d+|f{10,}")


def knock(world: World, name: str, operation: Operation, subject: str, *, query: str = "") -> Any:
    """The answer to a person; whatever it changed did not happen. ``ABSENT``: of a thing that is not there."""
    with knocked(world, name, operation, subject, query=query) as answer:
        return answer


@contextmanager
def knocked(world: World, name: str, operation: Operation, subject: str, *, query: str = "") -> Iterator[Any]:
    """The same, with a look at what it changed: it is undone afterwards."""
    values = world.values(operation, subject)
    path = operation.path({one: _none(value) for one, value in values.items()} if subject == ABSENT else values)
    path += f"?{query}" if query else ""
    body, kind = bodies.sent(operation, world.things(subject))
    block = transaction.atomic()
    # It is the test's: what is never done inside of a transaction is done here, as it is in all other tests.
    block._from_testcase = True  # type: ignore[attr-defined]
    with block:
        answer = world.cast[name].knock(operation.method, path, body, kind, api=operation.api)
        if getattr(answer, "streaming", False):
            answer.content_read = b"".join(answer.streaming_content)
        yield answer
        transaction.set_rollback(True)


def said(answer: Any) -> str:
    """The body, as text."""
    body: bytes = answer.content_read if getattr(answer, "streaming", False) else answer.content
    return body.decode(errors="replace")


def words(answer: Any) -> str:
    """What an answer says, headers and all, but for numbers and what is drawn by lot for each answer."""
    headers = "\n".join(f"{name}: {value}" for name, value in sorted(answer.items()))
    return _LOT.sub("0", f"{answer.status_code}\n{headers}\n{said(answer)}")


def tells(answer: Any, mark: str) -> bool:
    """Whether an answer or its headers bear a text that only certain things bear."""
    return mark in said(answer).lower() or any(mark in str(value).lower() for _, value in answer.items())


def _none(value: object) -> object:
    """What looks like it, but names nothing."""
    kind, dash, number = str(value).rpartition("-")
    return f"{kind}{dash}987654321" if number.isdigit() else f"{'f' * len(number)}"
