"""What another rule for the key of an alert would have made of past ones (ingest-and-api.md 8): alerts that would have
been one, and repeats that would have been alerts of their own. Read from the newest payloads for at most about a second
and a half, so it answers at once whatever the number of alerts, and says how many it has looked at."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cases.ingest.pipeline import rules_of
from cases.ingest.prepare import Rules, prepare
from cases.ingest.reading import Unreadable
from cases.ingest.registry import kind_of
from cases.models import Alert, AlertPayload, AlertSource
from soar.accounts.models import User
from soar.lib import clock

SAMPLE, PART = 5_000, 250
SECONDS = 1.5
EXAMPLES, NAMED = 5, 4


@dataclass(slots=True)
class KeyPreview:
    """``read`` alerts would have been ``after``; ``merged`` lists (key, number of alerts, title, some numbers), the
    largest first. Of ``split`` alerts the first and the latest delivery would have had different keys. ``unreadable``
    payloads say nothing; ``all`` tells whether no older alert is left."""

    read: int = 0
    after: int = 0
    split: int = 0
    unreadable: int = 0
    all: bool = True
    merged: list[tuple[str, int, str, list[str]]] = field(default_factory=list)
    split_examples: list[tuple[str, str]] = field(default_factory=list)

    @property
    def folded(self) -> int:
        """How many alerts fewer there would be."""
        return self.read - self.unreadable - self.after


def preview_key(user: User, source: AlertSource, key_fields: list[str]) -> KeyPreview:
    """What ``key_fields`` would have made of the source's newest alerts, of those that the person may see."""
    rules = replace(rules_of(source), key_fields=key_fields)
    found = KeyPreview()
    groups: dict[str, list[tuple[str, str]]] = {}
    until = time.monotonic() + SECONDS
    for payload in _newest(user, source):
        if found.read >= SAMPLE or time.monotonic() > until:
            found.all = False
            break
        found.read += 1
        _look(payload, rules, found, groups)
    found.after = len(groups)
    several = sorted((kv for kv in groups.items() if len(kv[1]) > 1), key=lambda kv: -len(kv[1]))[:EXAMPLES]
    found.merged = [(key, len(all_), all_[0][1], [number for number, _title in all_[:NAMED]]) for key, all_ in several]
    return found


def _look(payload: AlertPayload, rules: Rules, found: KeyPreview, groups: dict[str, list[tuple[str, str]]]) -> None:
    key = _key(payload.body, rules)
    if key is None:
        found.unreadable += 1
        return
    named = (payload.alert.number, payload.alert.title)
    groups.setdefault(key, []).append(named)
    if payload.latest_body and _key(payload.latest_body, rules) not in (key, None):
        found.split += 1
        found.split_examples = [*found.split_examples, named][:EXAMPLES]


def _newest(user: User, source: AlertSource) -> Iterator[AlertPayload]:
    """Payloads of the source's alerts, newest first, some at a time: they may be large."""
    rows = Alert.objects.visible_to(user).filter(source=source).order_by("-pk")
    last = None
    while True:
        part = rows if last is None else rows.filter(pk__lt=last)
        alerts = {one.pk: one for one in part.only("title")[:PART]}
        if not alerts:
            return
        payloads = AlertPayload.objects.in_bulk(list(alerts))
        for pk, alert in alerts.items():
            if pk in payloads:
                payloads[pk].alert = alert
                yield payloads[pk]
        last = min(alerts)


def _key(body: str, rules: Rules) -> str | None:
    """The key of a payload by these rules; None if it cannot be read any more."""
    try:
        item: Any = json.loads(body)
        return prepare(item, body, kind_of(rules.kind), rules, clock.now()).key if isinstance(item, dict) else None
    except (ValueError, RecursionError, Unreadable):
        return None
