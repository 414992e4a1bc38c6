"""``@playbook`` and ``@action``. Pure: imports neither Django nor the engine, so playbooks are plain Python."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from playbooks import conditions as conditions_rules
from playbooks.calls import ActionSpec, make_call, performer

F = TypeVar("F", bound=Callable[..., Any])
TRIGGERS = ("webhook", "incident", "manual", "schedule")
ON_FAILURE = ("continue", "stop")
NAME_AT_MOST = 200
MARK = "__soar_playbook__"


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
