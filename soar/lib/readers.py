"""Who reads the timeline: playbooks, notifications and others, named in settings and imported when first needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Reader:
    """``task`` (a dotted name) is queued with the id of every timeline entry of one of ``kinds`` (rulings 24).

    It takes any number of ids: those of several queue rows may come in one call."""

    name: str
    kinds: frozenset[str]
    task: str


_silent: ContextVar[bool] = ContextVar("soar_silent", default=False)


def readers_of(kind: str) -> list[Reader]:
    """The readers that want entries of ``kind``, none inside ``silence``.

    Raises ImportError when ``TIMELINE_CONSUMERS`` names nothing."""
    return [] if _silent.get() else _wanting(kind)


@contextmanager
def silence() -> Iterator[None]:
    """Ring nobody for what is written inside: demo data and other history that is not news."""
    token = _silent.set(True)
    try:
        yield
    finally:
        _silent.reset(token)


def joined_tasks() -> list[str]:
    """The tasks of all readers: of these the queue may join several rows to one call."""
    return [reader.task for reader in _readers()]


@cache
def _wanting(kind: str) -> list[Reader]:
    return [reader for reader in _readers() if kind in reader.kinds]


@cache
def _readers() -> tuple[Reader, ...]:
    return tuple(import_string(name) for name in settings.TIMELINE_CONSUMERS)
