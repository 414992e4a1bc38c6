"""What a template needs to make one alert's payload."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cases.demo.estate import NAMES, OUTSIDE, SERVERS, WORKERS, Host, Worker


@dataclass
class Scene:
    """When, who, where and from which address; ``facts`` replace what a template would choose by chance."""

    moment: datetime
    rng: random.Random
    number: int
    worker: Worker
    server: Host
    address: str
    name: str
    facts: dict[str, Any] = field(default_factory=dict)

    def fact(self, key: str, *choices: Any) -> Any:
        """The given fact, else one of the choices by chance, which is then given for good."""
        if key not in self.facts:
            self.facts[key] = self.rng.choice(choices)
        return self.facts[key]

    def at(self, seconds: float = 0, form: str = "%Y-%m-%dT%H:%M:%S.%f") -> str:
        """The moment, shifted, as text in UTC with milliseconds and a Z."""
        return (self.moment + timedelta(seconds=seconds)).strftime(form)[:23] + "Z"

    def id(self, what: str = "") -> str:
        """An id that is the same for the same alert."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"nordhavn {self.number} {what}"))


def scene_of(moment: datetime, rng: random.Random, number: int, **given: Any) -> Scene:
    """A scene at ``moment``: worker, server, address and name by chance unless given; the rest are facts."""
    worker = given.pop("worker", None) or rng.choice(WORKERS)
    server = given.pop("server", None) or rng.choice(SERVERS[:6])
    address = given.pop("address", None) or rng.choice(OUTSIDE)
    name = given.pop("name", None) or rng.choice(NAMES)
    return Scene(moment, rng, number, worker, server, address, name, facts=given)
