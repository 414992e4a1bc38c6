"""Asking whether an alert meets a suppression rule (ingest-and-api.md 9). Pure.

Rules are found by the values that an alert has: of two hundred rules few are looked at."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.ingest.conditions import WITH_STAR, BadRule, Conditions, forms_of, read
from cases.ingest.hold import Hold
from cases.ingest.prepare import Row

# The first of these that a rule has finds it: the earlier, the fewer alerts have the same value.
KEYS = ("host", "user", "observable", "ip", "model", "tag")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose alerts: those of ``team`` (None: of no team), or with ``all_teams`` everybody's."""

    team: int | None = None
    all_teams: bool = False


@dataclass(slots=True)
class Facts:
    """What of an alert the conditions look at, in lower case."""

    severity: int
    title: str
    values: dict[str, frozenset[str]]
    address: Address | None


@dataclass(slots=True)
class Compiled:
    """A rule made ready: equal values as sets, the rest as tuples."""

    hold: Hold
    expires_at: datetime
    scope: Scope
    sources: frozenset[int] | None
    equal: dict[str, frozenset[str]]
    prefixes: dict[str, tuple[str, ...]]
    networks: tuple[Network, ...]
    titles: tuple[str, ...]
    severity: int
    key: str = field(init=False)
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.names = tuple(dict.fromkeys((*self.equal, *self.prefixes)))
        usable = (name for name in KEYS if self.equal.get(name) and not self.prefixes.get(name))
        self.key = next((name for name in usable if name != "ip" or not self.networks), "")

    def meets(self, facts: Facts) -> bool:
        """Whether an alert meets all conditions."""
        if facts.severity > self.severity:
            return False
        if self.titles and not any(text in facts.title for text in self.titles):
            return False
        for name in self.names:
            if not self._fits(name, facts):
                return False
        return not self.networks or "ip" in self.equal or self._inside(facts)

    def _fits(self, name: str, facts: Facts) -> bool:
        values = facts.values[name]
        if not values.isdisjoint(self.equal.get(name, ())):
            return True
        if name == "ip":
            return self._inside(facts)
        starts = self.prefixes.get(name, ())
        return any(value.startswith(starts) for value in values)

    def _inside(self, facts: Facts) -> bool:
        return facts.address is not None and any(facts.address in network for network in self.networks)


def compiled(hold: Hold, expires_at: datetime, scope: Scope, given: Any, sources: Mapping[str, int]) -> Compiled:
    """The rule made ready; ``sources`` has the ids of all sources by slug. Raises BadRule."""
    conditions = read(given)
    if unknown := [slug for slug in conditions.get("source", ()) if slug not in sources]:
        raise BadRule("source", _("There is no source %(unknown)s.") % {"unknown": unknown[0]})
    addresses = [ipaddress.ip_network(text) for text in conditions.get("ip", ())]
    equal, prefixes = _texts(conditions)
    if single := [one for one in addresses if one.num_addresses == 1]:
        equal["ip"] = frozenset(str(one.network_address) for one in single)
    wanted = conditions.get("source")
    return Compiled(
        hold,
        expires_at,
        scope,
        frozenset(sources[slug] for slug in wanted) if wanted else None,
        equal,
        prefixes,
        tuple(one for one in addresses if one.num_addresses > 1),
        tuple(text.lower() for text in conditions.get("title", ())),
        Severity.from_word(conditions["severity"][0]) if "severity" in conditions else max(Severity),
    )


def _texts(conditions: Conditions) -> tuple[dict[str, frozenset[str]], dict[str, tuple[str, ...]]]:
    """Values that must be equal, and beginnings, by name."""
    equal, prefixes = {}, {}
    for name in ("model", "host", "user", "tag", "observable"):
        values = [value.lower() for value in conditions.get(name, ())]
        starts = [value[:-1] for value in values if name in WITH_STAR and value.endswith("*")]
        if starts:
            prefixes[name] = tuple(starts)
        if name == "observable":
            values = [form for value in conditions.get(name, ()) for form in forms_of(value)]
        if whole := [value for value in values if not (starts and value.endswith("*"))]:
            equal[name] = frozenset(whole)
    return equal, prefixes


class Matcher:
    """The rules for the alerts of one source, found by the values that alerts have rather than asked one by one."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.by_key: dict[str, dict[str, list[Compiled]]] = {}
        self.titled: list[tuple[str, Compiled]] = []
        self.inside: list[tuple[Network, Compiled]] = []
        self.loose: list[Compiled] = []
        for rule in rules:
            self._file(rule)

    def _file(self, rule: Compiled) -> None:
        """Put it where the alerts that may meet it are sure to look."""
        if rule.key:
            index = self.by_key.setdefault(rule.key, {})
            for value in rule.equal[rule.key]:
                index.setdefault(value, []).append(rule)
        elif rule.titles:
            self.titled += [(text, rule) for text in rule.titles]
        elif rule.networks and "ip" not in rule.equal:
            self.inside += [(network, rule) for network in rule.networks]
        else:
            self.loose.append(rule)

    def find(self, row: Row, now: datetime) -> Hold | None:
        """The oldest rule that the alert meets and that has not expired."""
        facts = facts_of(row)
        found: Compiled | None = None
        for rule in self._candidates(facts):
            if (found is None or rule.hold.rule < found.hold.rule) and now < rule.expires_at and rule.meets(facts):
                found = rule
        return found.hold if found else None

    def _candidates(self, facts: Facts) -> Iterable[Compiled]:
        yield from self.loose
        title, address = facts.title, facts.address
        for text, rule in self.titled:
            if text in title:
                yield rule
        if address is not None:
            for network, rule in self.inside:
                if address in network:
                    yield rule
        for name, index in self.by_key.items():
            for value in facts.values[name]:
                yield from index.get(value, ())


def facts_of(row: Row) -> Facts:
    """What the conditions look at."""
    alert = row.alert
    address: Address | None = None
    if alert.source_ip:
        with contextlib.suppress(ValueError):
            address = ipaddress.ip_address(alert.source_ip)
    return Facts(
        severity=row.severity,
        title=alert.title.lower(),
        values={
            "host": _one(alert.hostname),
            "user": _one(alert.username),
            "model": _one(alert.detection_model),
            "ip": frozenset((str(address),)) if address else frozenset(),
            "tag": frozenset(row.tags),
            "observable": frozenset(one.value for one in row.observables),
        },
        address=address,
    )


def _one(text: str) -> frozenset[str]:
    return frozenset((text.lower(),)) if text else frozenset()


def matcher_for(rules: Iterable[Compiled], source: int, team: int | None) -> Matcher | None:
    """What is to be asked about the alerts of a source; None if no rule can fit them."""
    able = [
        rule
        for rule in rules
        if (rule.scope.all_teams or rule.scope.team == team) and (rule.sources is None or source in rule.sources)
    ]
    return Matcher(able) if able else None
