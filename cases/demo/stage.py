"""What the demo is played on: its people, sources, and the alerts and incidents made so far."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from cases.actors import Actor
from cases.ingest.pipeline import receive, rules_of
from cases.ingest.prepare import Rules
from cases.models import Alert, AlertSource, TimelineEntry
from soar.accounts.models import Team, User


@dataclass
class Stage:
    """``alerts``, ``incidents`` and ``entries`` (notes) are found by the story's key and their own."""

    now: datetime
    rng: random.Random
    actors: dict[str, Actor]
    users: dict[str, User]
    teams: dict[str, Team]
    sources: dict[str, AlertSource]
    runs: Any = None
    alerts: dict[tuple[str, str], int] = field(default_factory=dict)
    incidents: dict[str, int] = field(default_factory=dict)
    entries: dict[tuple[str, str], int] = field(default_factory=dict)
    rules: dict[str, Rules] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)  # name of a custom field of ours -> key
    reader: User | None = None  # who reads the portal, and is addressed by its people

    def deliver(self, key: tuple[str, str], source: str, documents: list[dict[str, Any]]) -> int:
        """Send documents to a source as its product would. Returns the alert's id, kept under ``key``."""
        if source not in self.rules:
            self.rules[source] = rules_of(self.sources[source])
        body = json.dumps(documents if len(documents) > 1 else documents[0]).encode()
        outcome = receive(self.rules[source], body, "application/json")[0][0]
        if outcome.id is None:
            raise RuntimeError(f"{source} refused a payload of the demo: {outcome.detail or outcome.note}")
        self.alerts[key] = outcome.id
        return outcome.id

    def writer(self, who: str) -> Actor:
        """The person as a trusted writer: asking for their rights anew on every one of hundreds of ordinary alerts
        would double the time, and those are their own team's."""
        actor = self.actors[who]
        return Actor(actor.type, actor.name, actor.id)

    def told(self, text: str) -> str:
        """A text in which ``@{priya}`` mentions that person, and ``@{reader}`` whoever reads the portal."""
        return re.sub(r"@\{(\w+)\}", lambda found: f"@{self.person(found[1]).username}", text)

    def person(self, key: str) -> User:
        """Somebody of the demo, or ``reader``; where there is no reader yet, Mara."""
        return self.reader or self.users["mara"] if key == "reader" else self.users[key]

    def run_playbooks(self, alert_id: int, moment: datetime) -> None:
        """Let the playbooks run on an alert that has just come in."""
        entry = TimelineEntry.objects.filter(alert=alert_id, kind="alert.opened").first()
        if self.runs is not None and entry is not None:
            self.runs(entry.pk, moment)

    def alert(self, key: tuple[str, str]) -> Alert:
        """The alert as it is now."""
        return Alert.objects.get(pk=self.alerts[key])


def runner() -> Any:
    """What runs playbooks on demo alerts, or None where the setting is empty. Make it outside of a transaction."""
    return import_string(settings.DEMO_RUNS)() if settings.DEMO_RUNS else None


class Part(Protocol):
    """What another application adds to the demo (``DEMO_PARTS``: dotted names of classes without arguments)."""

    def load(self, stage: Stage) -> None:
        """Add it, in the transaction of the seeding; alerts, incidents and people are there."""

    def begin(self, stage: Stage, wait: float) -> str:
        """What follows once the demo data are there for all to see; ``wait``: seconds that it may wait for what starts
        beside it. Returns a sentence, or ""."""

    def remove(self) -> list[str]:
        """Take it away, in the transaction of the removal, when alerts and incidents are gone and sources and people
        are still there. Returns the names of what stays."""


def parts() -> list[Part]:
    """All of them."""
    return [import_string(name)() for name in settings.DEMO_PARTS]
