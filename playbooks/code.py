"""``@playbook`` and ``@action``. Pure: imports neither Django nor the engine, so playbooks are plain Python.

Who performs a call is in a context variable: the engine while a run executes, the recorder of
``playbooks.testing`` in a unit test, nobody otherwise (then an action is just its function)."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, overload

from playbooks import conditions as conditions_rules

F = TypeVar("F", bound=Callable[..., Any])
TRIGGERS = ("webhook", "incident", "manual", "schedule")
ON_FAILURE = ("continue", "stop")
NAME_AT_MOST = 200
MARK = "__soar_playbook__"


class ActionFailed(Exception):
    """The action or helper named ``action`` did not succeed.

    A replay raises the same, so ``except ActionFailed`` goes the same way the second time."""

    def __init__(self, message: str, *, action: str = "") -> None:
        super().__init__(message)
        self.action = action


@dataclass(frozen=True, slots=True)
class PlaybookSpec:
    """What ``@playbook`` said."""

    name: str
    trigger: str
    conditions: Mapping[str, Any]
    order: int
    description: str
    enabled: bool
    on_failure: str
    cron: str
    function: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """What ``@action`` said. ``kind`` is action, helper (an effect on cases) or read (changes nothing)."""

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
_collector: ContextVar[list[PlaybookSpec] | None] = ContextVar("soar_collector", default=None)


def playbook(
    *,
    trigger: str = "webhook",
    conditions: Mapping[str, Any] | None = None,
    order: int = 1000,
    description: str = "",
    enabled: bool = True,
    on_failure: str = "continue",
    cron: str = "",
    name: str | None = None,
) -> Callable[[F], F]:
    """Make a function a playbook (python-playbooks.md 1). It takes one argument, the alert or incident as a
    dict-like, and may be ``async def`` or plain ``def``; what it returns must be JSON.

    Raises ValueError or TypeError, naming the parameter, for anything that makes no sense."""

    def mark(function: F) -> F:
        spec = PlaybookSpec(
            name=_name(name or function.__name__),
            trigger=_one_of("trigger", trigger, TRIGGERS),
            conditions=conditions_rules.check(conditions or {}),
            order=_whole("order", order),
            description=(description or inspect.getdoc(function) or "").strip(),
            enabled=bool(enabled),
            on_failure=_one_of("on_failure", on_failure, ON_FAILURE),
            cron=_cron(trigger, cron),
            function=function,
        )
        _takes_one(function)
        setattr(function, MARK, spec)
        collected = _collector.get()
        if collected is not None:
            collected.append(spec)
        return function

    return mark


@overload
def action(function: F, /) -> F: ...


@overload
def action(
    name: str | None = None,
    *,
    timeout: float = 30.0,
    retries: int = 0,
    backoff: float = 2.0,
    idempotent: bool = False,
) -> Callable[[F], F]: ...


def action(
    name: Any = None,
    *,
    timeout: float = 30.0,
    retries: int = 0,
    backoff: float = 2.0,
    idempotent: bool = False,
) -> Any:
    """Make a function an action: every call is recorded and, after a crash, not made a second time.

    ``timeout`` in seconds for each attempt; ``retries`` more attempts after an error, waiting ``backoff``,
    ``backoff²``, ... seconds. ``idempotent``: doing it twice does no harm, so it is repeated when its outcome
    is not known. Calls take an extra ``key=`` that names the call instead of its position, unless the
    function has a parameter of that name."""
    if callable(name):
        return action()(name)

    def wrap(function: F) -> F:
        spec = ActionSpec(
            name=_name(name or function.__name__),
            timeout=_positive("timeout", timeout),
            retries=_whole("retries", retries, least=0),
            backoff=_positive("backoff", backoff),
            idempotent=bool(idempotent),
        )
        return _recorded(spec, function)

    return wrap


def _recorded(spec: ActionSpec, function: F) -> F:
    signature = inspect.signature(function)
    own_key = "key" in signature.parameters

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        key = None if own_key else kwargs.pop("key", None)
        if performer.get() is None:
            return function(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        return make_call(spec, function, dict(bound.arguments), args, kwargs, key)

    return call  # type: ignore[return-value]


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


@contextmanager
def collecting(found: list[PlaybookSpec]) -> Iterator[None]:
    """Every ``@playbook`` met inside is added to ``found``."""
    token = _collector.set(found)
    try:
        yield
    finally:
        _collector.reset(token)


def _name(value: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > NAME_AT_MOST:
        raise ValueError(f"A name is 1 to {NAME_AT_MOST} characters.")
    return value.strip()


def _one_of(what: str, value: str, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{what}={value!r} is not one of: {', '.join(words)}.")
    return value


def _whole(what: str, value: int, least: int = -(2**31)) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise ValueError(f"{what}={value!r} is not a whole number{f' of at least {least}' if least == 0 else ''}.")
    return value


def _positive(what: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise ValueError(f"{what}={value!r} is not a number of seconds.")
    return float(value)


def _cron(trigger: str, cron: str) -> str:
    if (trigger == "schedule") != bool(cron):
        raise ValueError('cron= and trigger="schedule" go together.')
    if cron:
        from croniter import croniter

        if len(cron.split()) != 5 or not croniter.is_valid(cron):
            raise ValueError(f"cron={cron!r} is not a cron text of five fields.")
    return cron


def _takes_one(function: Callable[..., Any]) -> None:
    try:
        inspect.signature(function).bind({})
    except TypeError:
        raise TypeError(f"{function.__name__} must take one argument, the alert.") from None
