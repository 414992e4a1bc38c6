"""Acceptance: everything about one delivery in one transaction, or nothing (ingest-and-api.md 7)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from cases.ingest import asset_rows, counters, kept_mails, repeats, single, store, suppressing
from cases.ingest.mappings import overlay_of
from cases.ingest.prepare import Row, Rules, grouped
from cases.ingest.reading import Item, Unreadable
from cases.ingest.splitting import OURS, rows_of
from cases.models import Alert, AlertSource
from soar.lib import clock
from soar.lib.readers import readers_of

TRIES = 4
AGAIN = ("40P01", "40001", "23503")  # deadlock, serialisation failure, what is referred to has gone
NOTHING_TO_RESOLVE = "Nothing to resolve: no alert with this key is stored."


@dataclass(slots=True)
class Outcome:
    """What became of one item. ``status`` 201 created, 200 repeat or state, 400/413 refused (``detail``)."""

    status: int
    id: int | None = None
    created: bool = False
    count: int = 0
    cause: str = ""
    detail: str = ""
    note: str = ""
    key: str = ""
    text: str = ""  # of a refused item: as it came, for the dead letters

    def as_json(self, rules: Rules) -> dict[str, Any]:
        """As the API answers (contract.md, rulings 17)."""
        if self.detail:
            return {"detail": self.detail}
        if self.id is None:
            return {"id": None, "created": False, "note": self.note}
        return {
            "id": self.id,
            "number": f"ALR-{self.id}",
            "url": f"{settings.SOAR_URL}/alerts/ALR-{self.id}/",
            "created": self.created,
            "count": self.count,
            "cause": self.cause,
            "dedup_key": self.key,
            "visible_to": {"team": rules.team_id, "source": rules.source_name},
        }


def rules_of(source: AlertSource) -> Rules:
    """The rules of a stored source."""
    names = ("default_severity", "default_tlp", "default_tags", "key_fields", "repeat_rule", "close_on_resolved")
    return Rules(
        source_id=source.pk,
        source_name=source.name,
        kind=source.kind,
        team_id=source.team_id,
        resolved_determination=source.resolved_determination,
        mapping=overlay_of(source.mapping_id),
        **{name: getattr(source, name) for name in names},
    )


def receive(rules: Rules, body: bytes, content_type: str = "") -> tuple[list[Outcome], bool]:
    """Read a delivery and store it. Returns one outcome per item, in order, and whether it was several.

    Raises Unreadable when nothing of it can be read. What is not refused here is committed on return."""
    now = clock.now()
    made, several = rows_of(rules, body, content_type, now)
    return accept(rules, made, now), several


def accept(rules: Rules, made: list[tuple[Item, Row | None]], now: datetime) -> list[Outcome]:
    """Store what ``rows_of`` has read. One outcome per item, in order; what is not refused is committed on return."""
    stored = _store([row for _, row in made if row], rules, now)
    return [stored[id(row)] if row else _refused(item) for item, row in made]


def _refused(item: Item) -> Outcome:
    error = item.error or Unreadable(400, OURS)
    return Outcome(error.status, detail=error.message, text=item.text)


def _store(rows: list[Row], rules: Rules, now: datetime) -> dict[int, Outcome]:
    """Store rows, each held back by the rule that it meets, if any, and count what was held back."""
    suppressing.mark(rows, rules, now)
    outcomes = _stored(rows, rules, now)
    for row in rows:
        if row.hold:
            counters.note_held(row.hold.rule, new=outcomes[id(row)].created)
    return outcomes


def _stored(rows: list[Row], rules: Rules, now: datetime) -> dict[int, Outcome]:
    """Store rows, trying again when the database broke a tie between two deliveries (deadlock), or when a purge
    took an observable away that was about to be linked."""
    plain = len(rows) == 1 and not rows[0].alert.only_state
    if plain and (outcome := _single(rows[0], rules, now)):
        return {id(rows[0]): outcome}
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _store_once(rows, rules, now)
        except (OperationalError, IntegrityError) as error:
            if attempt == TRIES - 1 or getattr(error.__cause__, "sqlstate", "") not in AGAIN:
                raise
            suppressing.mark(rows, rules, now, anew=True)  # the rule may be what has gone
    raise AssertionError("not reached")


def _single(row: Row, rules: Rules, now: datetime) -> Outcome | None:
    """The quick way for one new alert; None when the general way has to look (cases.ingest.single)."""
    try:
        pk = single.insert(rules, row, [reader.task for reader in readers_of("alert.opened")], now)
    except (OperationalError, IntegrityError) as error:
        if connection.in_atomic_block or getattr(error.__cause__, "sqlstate", "") not in AGAIN:
            raise
        suppressing.mark([row], rules, now, anew=True)
        return None
    return Outcome(201, pk, True, 1, str(row.cause), key=row.key) if pk else None


def _store_once(rows: list[Row], rules: Rules, now: datetime) -> dict[int, Outcome]:
    """Alerts first, then what only tells a state, so that one delivery may open and end the same alert."""
    outcomes: dict[int, Outcome] = {}
    for states in (False, True):
        part = [row for row in rows if row.alert.only_state == states]
        outcomes |= _in_order(part, _groups(grouped(part), rules, now) if part else {})
    for row in rows:
        if row.raw and (pk := outcomes[id(row)].id):
            kept_mails.keep(pk, row.raw, now)
    return outcomes


def _in_order(rows: list[Row], by_digest: dict[bytes, Outcome]) -> dict[int, Outcome]:
    """One outcome per row: of several with the same key the first created, the others repeat it."""
    outcomes: dict[int, Outcome] = {}
    seen: set[bytes] = set()
    for row in rows:
        one = by_digest[row.digest]
        again = row.digest in seen and one.status == 201
        outcomes[id(row)] = replace(one, status=200, created=False) if again else one
        seen.add(row.digest)
    return outcomes


def _groups(groups: list[Row], rules: Rules, now: datetime) -> dict[bytes, Outcome]:
    outcomes: dict[bytes, Outcome] = {}
    fresh: list[Row] = []
    for row, stored in zip(groups, store.look_up(rules, groups), strict=True):
        outcome = _known(row, stored, rules, now) if stored else None
        if outcome:
            outcomes[row.digest] = outcome
        elif row.alert.only_state:
            outcomes[row.digest] = Outcome(200, note=NOTHING_TO_RESOLVE)
        else:
            fresh.append(row)
    return outcomes | _insert(fresh, rules, now)


def _insert(rows: list[Row], rules: Rules, now: datetime) -> dict[bytes, Outcome]:
    if not rows:
        return {}
    tasks = [reader.task for reader in readers_of("alert.opened")]
    observables = store.observable_ids(rows)
    stored = store.insert(rules, rows, observables, asset_rows.ids_of(rows, now), tasks, now)
    outcomes = {}
    for row in rows:
        pk, count, created, cause = stored[row.digest]
        outcomes[row.digest] = Outcome(201 if created else 200, pk, created, count, str(cause), key=row.key)
    return outcomes


def _known(row: Row, stored: int, rules: Rules, now: datetime) -> Outcome | None:
    """Treat a delivery of a stored key. None: the source's rule makes a new alert of it."""
    alert = Alert.objects.select_related("source").get(pk=stored)
    if row.alert.only_state:
        alert = repeats.source_state(alert, row, rules)
        return Outcome(200, alert.pk, False, alert.count, str(alert.cause), key=alert.dedup_key)
    if repeats.wants_new(alert, rules):
        repeats.hand_over_key(alert)
        row.id, row.entry = store.draw_ids()
        return None
    alert = repeats.repeat(alert, row, rules, now)
    return Outcome(200, alert.pk, False, alert.count, str(alert.cause), key=alert.dedup_key)
