"""Calls of actions and helpers: counted, named, handed to whoever performs them. Pure.

Who performs a call is in a context variable: the engine while a run executes, the recorder of
``playbooks.testing`` in a unit test, nobody otherwise (then an action is just its function)."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol


class ActionFailed(Exception):
    """The action or helper named ``action`` did not succeed.

    A replay raises the same, so ``except ActionFailed`` goes the same way the second time."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.action = action


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """What ``@action`` said. ``kind`` is action, helper (an effect on cases), read (changes nothing) or approval."""

    name: str
    timeout: float = 30.0
    retries: int = 0
    backoff: float = 2.0
    idempotent: bool = False
    kind: str = "action"


@dataclass(slots=True)
class Scope:
    """Where calls are counted: the playbook itself, or one action that calls others."""

    prefix: str = ""
    step: int | None = None
    depth: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_key(self, name: str) -> str:
        """The key of the next call of this name: its position, ``#1`` for the first."""
        with self.lock:
            number = self.counts[name] = self.counts.get(name, 0) + 1
        return f"{self.prefix}#{number}"


@dataclass(slots=True)
class Call:
    """One call of an action or helper, made but perhaps not yet awaited."""

    spec: ActionSpec
    function: Callable[..., Any]
    arguments: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    key: str
    scope: Scope
    started: bool = False
    coroutine: Any = None

    def close(self) -> None:
        """Put away a coroutine that nobody awaited."""
        if self.coroutine is not None:
            self.coroutine.close()


class Performer(Protocol):
    """Executes, records or fakes calls."""

    def made(self, call: Call) -> None:
        """A call was made. Raises to refuse it."""

    def perform(self, call: Call) -> Coroutine[Any, Any, Any]:
        """Do it, or return what is recorded of it."""

    def open_connector(self, name: str) -> Any:
        """The configured connector of this name."""


performer: ContextVar[Performer | None] = ContextVar("soar_performer", default=None)
scope: ContextVar[Scope | None] = ContextVar("soar_scope", default=None)
_step_key: ContextVar[uuid.UUID | None] = ContextVar("soar_idempotency_key", default=None)


def make_call(
    spec: ActionSpec,
    function: Callable[..., Any],
    arguments: dict[str, Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    key: object = None,
) -> Any:
    """Hand a call to the performer: a coroutine inside an event loop, the result itself elsewhere.

    The position is taken now, not when the coroutine is awaited, so ``gather`` keeps the order of the text."""
    at = scope.get() or Scope()
    call = Call(spec, function, arguments, args, kwargs, _key(at, spec, key), at)
    doer = performer.get()
    if doer is None:
        raise RuntimeError(f"{spec.name} works inside a playbook's run. In a unit test use playbooks.testing.")
    doer.made(call)
    call.coroutine = doer.perform(call)
    return call.coroutine if in_event_loop() else asyncio.run(call.coroutine)


def _key(at: Scope, spec: ActionSpec, key: object) -> str:
    if key is None:
        return at.next_key(spec.name)
    text = str(key)
    if not text or len(text) > 200 or text.startswith("#") or "/" in text:
        raise ValueError(f"key={text[:50]!r} must be 1 to 200 characters, must not begin with # and not contain /.")
    return at.prefix + text


def in_event_loop() -> bool:
    """Whether this thread runs an event loop, so that a call must be awaited."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def idempotency_key() -> str:
    """A text that stays the same when this very action is repeated: send it to a service that knows such keys."""
    return str(_step_key.get() or uuid.uuid4())


@contextmanager
def performing(doer: Performer) -> Iterator[None]:
    """Calls made inside go to ``doer``."""
    tokens = performer.set(doer), scope.set(Scope())
    try:
        yield
    finally:
        performer.reset(tokens[0])
        scope.reset(tokens[1])


@contextmanager
def inside(call: Call, step: int | None, key: uuid.UUID | None) -> Iterator[None]:
    """While the body of ``call`` runs: its own calls are counted under it."""
    prefix = f"{call.scope.prefix}{call.spec.name}{call.key.removeprefix(call.scope.prefix)}/"
    tokens = scope.set(Scope(prefix, step, call.scope.depth + 1)), _step_key.set(key)
    try:
        yield
    finally:
        scope.reset(tokens[0])
        _step_key.reset(tokens[1])
