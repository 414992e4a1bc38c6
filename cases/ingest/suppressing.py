"""Which of the alerts that come in are held back: the rules in force, read once per process and change.

Nothing here ever blocks or refuses an alert: a rule that cannot be used holds back nothing and says so on its page."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.choices import AlertStatus
from cases.ingest.conditions import BadRule
from cases.ingest.hold import Hold
from cases.ingest.prepare import ASK, Row, Rules
from cases.ingest.suppression import Compiled, Matcher, Scope, compiled, matcher_for
from soar.lib.database import prepared

logger = logging.getLogger(__name__)
# Both from one look: rules are never kept under the number of others.
LOAD = """
SELECT g.number, r.id, r.name, r.reason, r.expires_at, r.team_id, r.all_teams, r.conditions
FROM cases_suppressiongeneration g LEFT JOIN cases_suppressionrule r
    ON r.enabled AND r.ended_at IS NULL AND r.expires_at > now()
WHERE g.id = 1 ORDER BY r.id
"""
NUMBER = "SELECT coalesce((SELECT number FROM cases_suppressiongeneration WHERE id = 1), 0)"


@dataclass(slots=True)
class _Loaded:
    generation: int
    rules: tuple[Compiled, ...] = ()
    matchers: dict[tuple[int, int | None], Matcher | None] = field(default_factory=dict)


_loaded = _Loaded(0)


def mark(rows: Iterable[Row], rules: Rules, now: datetime, *, anew: bool = False) -> None:
    """Note on each row the rule that holds it back. ``anew``: as the rules are now, whatever was read before."""
    matcher = _matcher(rules, anew)
    for row in rows:
        row.hold = _find(matcher, row, now) if matcher else None


def _find(matcher: Matcher, row: Row, now: datetime) -> Hold | None:
    if row.status == AlertStatus.RESOLVED or row.alert.only_state:
        return None  # nobody looks at it in the queue
    try:
        return matcher.find(row, now)
    except Exception:
        logger.exception("Suppression rules could not be asked; the alert goes to the queue")
        return None


def _matcher(rules: Rules, anew: bool) -> Matcher | None:
    global _loaded  # noqa: PLW0603 - one set of rules per process
    number = generation() if anew or rules.suppression == ASK else rules.suppression
    if number == 0:
        return None
    known = _loaded
    if anew or known.generation != number:
        known = _loaded = _load()
    key = (rules.source_id, rules.team_id)
    if key not in known.matchers:
        known.matchers[key] = matcher_for(known.rules, *key)
    return known.matchers[key]


def generation() -> int:
    """The number of the rules in force; 0 when there never was one."""
    with prepared() as cursor:
        row = cursor.execute(NUMBER, prepare=True).fetchone()
    return int(row[0]) if row else 0


def _load() -> _Loaded:
    with prepared() as cursor:
        rows = cursor.execute(LOAD).fetchall()
        sources = dict(cursor.execute("SELECT slug, id FROM cases_alertsource").fetchall())
    ready = (_ready(row[1:], sources) for row in rows if row[1] is not None)
    return _Loaded(rows[0][0] if rows else 0, tuple(rule for rule in ready if rule))


def _ready(row: tuple[Any, ...], sources: dict[str, int]) -> Compiled | None:
    pk, name, reason, expires_at, team, all_teams, given = row
    try:
        conditions = json.loads(given) if isinstance(given, str | bytes) else given
        return compiled(Hold(pk, name, reason), expires_at, Scope(team, all_teams), conditions, sources)
    except BadRule as error:
        logger.warning("Suppression rule %s holds back nothing: %s", pk, error.message)
    except Exception:
        logger.exception("Suppression rule %s holds back nothing", pk)
    return None
