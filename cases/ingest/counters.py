"""Counters of sources: gathered in each web process and written every second.

An UPDATE of the source's row in every delivery would make all its deliveries wait for each other. A process
that is killed loses at most the last second of these figures; alerts themselves are never lost by it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import F
from django.utils import timezone

from cases import silence
from cases.models import AlertSource, SuppressionRule

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Figures:
    accepted: int = 0
    repeats: int = 0
    refused: int = 0
    unkept: int = 0
    error: str = ""
    at: datetime = field(default_factory=timezone.now)


@dataclass(slots=True)
class _Held:
    new: int = 0
    repeats: int = 0
    at: datetime = field(default_factory=timezone.now)


_pending: dict[int, _Figures] = {}
_held: dict[int, _Held] = {}
_lock = threading.Lock()
_timer: threading.Timer | None = None


def note(
    source_id: int, *, accepted: int = 0, repeats: int = 0, refused: int = 0, unkept: int = 0, error: str = ""
) -> None:
    """Count what came of a delivery. ``error`` is the sentence of the last refusal, ``unkept`` how many of the refused
    are not among the dead letters."""
    with _lock:
        figures = _pending.setdefault(source_id, _Figures())
        figures.accepted += accepted
        figures.repeats += repeats
        figures.refused += refused
        figures.unkept += unkept
        figures.error = error or figures.error
        figures.at = timezone.now()
        _wind_up()
    if not settings.COUNTER_SECONDS:
        flush()


def note_held(rule_id: int, *, new: bool) -> None:
    """Count an alert that a suppression rule held back, or the repeat of one that meets it."""
    with _lock:
        held = _held.setdefault(rule_id, _Held())
        held.new += new
        held.repeats += not new
        held.at = timezone.now()
        _wind_up()
    if not settings.COUNTER_SECONDS:
        flush()


def _wind_up() -> None:
    """Have the figures written soon. Called under the lock."""
    global _timer  # noqa: PLW0603 - one timer per process
    if settings.COUNTER_SECONDS and _timer is None:
        _timer = threading.Timer(settings.COUNTER_SECONDS, _tick)
        _timer.daemon = True
        _timer.start()


def flush() -> None:
    """Write what has been counted."""
    with _lock:
        figures, held = dict(_pending), dict(_held)
        _pending.clear()
        _held.clear()
    for rule_id, told in held.items():
        SuppressionRule.objects.filter(pk=rule_id).update(
            held=F("held") + told.new, repeats=F("repeats") + told.repeats, last_hit_at=told.at
        )
    for source_id, one in figures.items():
        _write(source_id, one)


def _write(source_id: int, one: _Figures) -> None:
    seen = {"last_seen_at": one.at} if one.accepted or one.repeats else {}
    failed = {"last_error": one.error[:1000], "last_error_at": one.at} if one.error else {}
    AlertSource.objects.filter(pk=source_id).update(
        accepted=F("accepted") + one.accepted,
        repeats=F("repeats") + one.repeats,
        refused=F("refused") + one.refused,
        unkept=F("unkept") + one.unkept,
        **seen,
        **failed,
    )
    if seen:
        silence.heard(source_id)


def _tick(write: Callable[[], None] = flush) -> None:
    global _timer  # noqa: PLW0603
    with _lock:
        _timer = None
    try:
        write()
    except DatabaseError:
        logger.warning("The counters of the sources could not be written", exc_info=True)
    finally:
        connection.close()
