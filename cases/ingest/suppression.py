"""Conditions of suppression rules: reading them, and asking whether an alert meets them (ingest-and-api.md 9). Pure.

The names are those of the query box. Of one name any value may fit, of several names all must. Texts are taken as they
stand, whatever their letters' case: there are no patterns but a star at the end of a model, host or user."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cases.choices import Severity
from cases.ingest.hold import Hold
from cases.ingest.iocs import guess_type, normalise_observable
from cases.ingest.prepare import Row

NAMES = ("source", "model", "host", "user", "ip", "tag", "observable", "title", "severity")
WITH_STAR = ("model", "host", "user")
VALUES_AT_MOST, VALUE_AT_MOST = 50, 300
TEXT_AT_LEAST = 3  # of a piece of a title, and before a star: less would hold back nearly everything
# The first of these that a rule has finds it: the earlier, the fewer alerts have the same value.
KEYS = ("host", "user", "observable", "ip", "model", "tag")
Conditions = dict[str, list[str]]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class BadRule(ValueError):
    """Conditions that cannot be used, or that hold back everything. ``name`` is the condition that is wrong."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


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

    def __post_init__(self) -> None:
        usable = (name for name in KEYS if self.equal.get(name) and not self.prefixes.get(name))
        self.key = next((name for name in usable if name != "ip" or not self.networks), "")

    def meets(self, facts: Facts) -> bool:
        """Whether an alert meets all conditions."""
        if facts.severity > self.severity:
            return False
        if self.titles and not any(text in facts.title for text in self.titles):
            return False
        for name in self.equal.keys() | self.prefixes.keys():
            if not self._fits(name, facts):
                return False
        return not self.networks or "ip" in self.equal or self._inside(facts)

    def _fits(self, name: str, facts: Facts) -> bool:
        values = facts.values[name]
        if not values.isdisjoint(self.equal.get(name, ())):
            return True
        if name == "ip":
            return self._inside(facts)
        starts = self.prefixes.get(name)
        return bool(starts) and any(value.startswith(starts) for value in values)

    def _inside(self, facts: Facts) -> bool:
        return facts.address is not None and any(facts.address in network for network in self.networks)


def read(given: Any) -> Conditions:
    """The conditions in the form that is stored. Raises BadRule for what cannot be, and for too little."""
    if not isinstance(given, Mapping):
        raise BadRule("conditions", "Conditions are an object: a name with a list of texts.")
    found: Conditions = {}
    for name, values in given.items():
        if name not in NAMES:
            raise BadRule("conditions", f"{name!s:.40} is not one of: {', '.join(NAMES)}.")
        if read_values := _values(name, values):
            found[name] = read_values
    if not found.keys() - {"severity"}:
        raise BadRule("conditions", "Without a condition besides the severity it would hold back everything.")
    return {name: found[name] for name in NAMES if name in found}


def _values(name: str, values: Any) -> list[str]:
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, list | tuple) or not all(isinstance(value, str) for value in listed):
        raise BadRule(name, "This is a list of texts.")
    texts = [" ".join(value.replace("\x00", "").split()) for value in listed]
    texts = list(dict.fromkeys(text for text in texts if text))
    if len(texts) > VALUES_AT_MOST or any(len(text) > VALUE_AT_MOST for text in texts):
        raise BadRule(name, f"At most {VALUES_AT_MOST} values of at most {VALUE_AT_MOST} characters.")
    return [_value(name, text) for text in texts] if name != "severity" else _severity(texts)


def _value(name: str, text: str) -> str:
    if name == "ip":
        return _network(text)
    if name == "title" and len(text) < TEXT_AT_LEAST:
        raise BadRule(name, f"“{text}” is too short: {TEXT_AT_LEAST} characters or more of a title.")
    if name in WITH_STAR and text.endswith("*") and len(text) <= TEXT_AT_LEAST:
        raise BadRule(name, f"“{text}” would fit nearly all: {TEXT_AT_LEAST} characters or more before the star.")
    return text.lower() if name in ("source", "tag") else text


def _severity(texts: list[str]) -> list[str]:
    if len(texts) > 1:
        raise BadRule("severity", "One severity: rules hold back what is at most as severe.")
    try:
        return [Severity.from_word(text).word for text in texts]
    except ValueError as error:
        raise BadRule("severity", str(error)) from error


def _network(text: str) -> str:
    """An address as such, a network with its mask. Raises BadRule, also for the network of all addresses."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadRule("ip", f"{text:.60} is neither an address nor a network.") from None
    if network.prefixlen == 0:
        raise BadRule("ip", f"{text:.60} is every address there is.")
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def compiled(hold: Hold, expires_at: datetime, scope: Scope, given: Any, sources: Mapping[str, int]) -> Compiled:
    """The rule made ready; ``sources`` has the ids of all sources by slug. Raises BadRule."""
    conditions = read(given)
    if unknown := [slug for slug in conditions.get("source", ()) if slug not in sources]:
        raise BadRule("source", f"There is no source {unknown[0]}.")
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


def forms_of(value: str) -> set[str]:
    """How an observable may be written and how it is stored."""
    forms = {value, value.lower()}
    if type_ := guess_type(value):
        with contextlib.suppress(ValueError):
            forms.add(normalise_observable(type_, value))
    return forms


class Matcher:
    """The rules for the alerts of one source, found by the values that alerts have rather than asked one by one."""

    def __init__(self, rules: Iterable[Compiled]) -> None:
        self.loose: list[Compiled] = []
        self.by_key: dict[str, dict[str, list[Compiled]]] = {}
        for rule in rules:
            if not rule.key:
                self.loose.append(rule)
                continue
            index = self.by_key.setdefault(rule.key, {})
            for value in rule.equal[rule.key]:
                index.setdefault(value, []).append(rule)

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
