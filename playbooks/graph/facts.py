"""What is known of an alert and its objects when conditions are evaluated, and what each parameter finds in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from playbooks.graph.clock import zone_or_utc
from playbooks.graph.parameters import PARAMETERS, address
from soar.connectors.capabilities import ACCOUNT, DOMAIN, ENDPOINT, FILE, HASH, IP, SENDER, URL

FEW = 4
_OBSERVABLES = (HASH, URL, IP, DOMAIN, SENDER, FILE)


@dataclass(slots=True)
class Object:
    """One thing that the alert names: a highlighted observable or an entity.

    ``kind`` is a kind of target of the capabilities. ``related``: keys of the objects that the source relates it to.
    ``asset``: what is known of the machine (groups, criticality, tags, type, system, addresses). ``benign``: why
    nothing destructive may touch it, "" if nothing forbids it."""

    key: str
    kind: str
    type: str = ""
    value: str = ""
    risk: str = "unrated"
    related: tuple[str, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    asset: dict[str, Any] | None = None
    benign: str = ""
    highlighted: bool = False

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Object:
        """The object of an item of ``Run.targets``; what else the item has stays there."""
        return cls(
            key=row["key"],
            kind=row["kind"],
            type=row.get("type") or "",
            value=row.get("value") or "",
            risk=row.get("risk") or "unrated",
            related=tuple(row.get("related") or ()),
            facts=row.get("facts") or {},
            asset=row.get("asset"),
            benign=row.get("benign") or "",
            highlighted=bool(row.get("highlighted")),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """The values that a parameter found: ``shown`` as they came, ``folded`` as they are compared."""

    shown: tuple[str, ...]
    folded: frozenset[str]


@dataclass(slots=True)
class Facts:
    """The alert. ``source`` is the slug, ``severity`` the word, ``when`` (aware) the time that *hour of day* asks of.

    ``hostnames, accounts, addresses, observables``: what the alert names besides its objects."""

    source: str = ""
    model: str = ""
    severity: str = ""
    alert_tags: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    when: datetime | None = None
    time_zone: str = "UTC"
    hostnames: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    observables: tuple[str, ...] = ()
    objects: list[Object] = field(default_factory=list)
    _tables: dict[str, dict[str, Seen]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _near: dict[str, dict[str, None]] | None = field(default=None, init=False, repr=False, compare=False)

    def seen(self, parameter: str) -> dict[str, Seen]:
        """What a parameter finds for an object, by its key, made once; under "" what it finds for the alert, which
        also stands for the objects that have no key in the table.

        For an object (spec 9, rulings 1): its own value; else those of the objects it is related to; else the
        alert's. So a hash knows the endpoint that it was found on."""
        found = self._tables.get(parameter)
        if found is None:
            found = self._tables[parameter] = self._look(parameter)
        return found

    def _look(self, parameter: str) -> dict[str, Seen]:
        known = PARAMETERS.get(parameter)
        if known is None or not known.objects:
            return {"": _seen(parameter, _texts(_OF_ALERT[parameter](self)) if known else ())}
        own = self._own(parameter)
        everything = [value for values in own.values() for value in values]
        table = {key: _seen(parameter, values) for key, values in own.items()}
        table[""] = _seen(parameter, _texts((*everything, *_BESIDES[parameter](self))))
        if own and len(own) < len(self.objects):
            self._relate(parameter, own, table)
        return table

    def _own(self, parameter: str) -> dict[str, tuple[str, ...]]:
        """The values of the objects that have some of their own."""
        found, find = {}, _OWN[parameter]
        for one in self.objects:
            values = find(one)
            texts = _texts(values) if values else ()
            if texts:
                found[one.key] = texts
        return found

    def _relate(self, parameter: str, own: dict[str, tuple[str, ...]], table: dict[str, Seen]) -> None:
        """Give the objects without a value of their own those of the objects they are related to."""
        if self._near is None:
            self._near = self._neighbours()
        for key, others in self._near.items():
            hits = () if key in own else [other for other in others if other in own]
            if len(hits) == 1:
                table[key] = table[hits[0]]
            elif hits:
                table[key] = _seen(parameter, _texts(value for other in hits for value in own[other]))

    def _neighbours(self) -> dict[str, dict[str, None]]:
        """The keys that each object is related to, in both directions; a file knows the endpoint it is on."""
        near: dict[str, dict[str, None]] = {}
        hosts = {one.value.casefold(): one.key for one in self.objects if one.kind == ENDPOINT}
        for one in self.objects:
            on = one.facts.get("endpoint")
            host = hosts.get(on.casefold()) if isinstance(on, str) else None
            for other in (*one.related, *((host,) if host else ())):
                near.setdefault(one.key, {})[other] = None
                near.setdefault(other, {})[one.key] = None
        return near


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    """The texts among the values, without empty ones; each once."""
    found = [value for value in values if value and isinstance(value, str)]
    return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))


def _seen(parameter: str, shown: tuple[str, ...]) -> Seen:
    return _kept(parameter, shown) if len(shown) <= FEW else _made(parameter, shown)


def _made(parameter: str, shown: tuple[str, ...]) -> Seen:
    fold = fold_address if parameter == "ip_address" else fold_text
    return Seen(shown, frozenset(map(fold, shown)))


# The alerts of a backtest name the same hosts, groups and systems over and over again. Long lists are not kept.
_kept = lru_cache(maxsize=2048)(_made)


def fold_text(value: str) -> str:
    """As texts are compared: without upper and lower case, and without blanks around."""
    return value.strip().casefold()


def fold_address(value: str) -> str:
    """As addresses are compared: one spelling of each."""
    found = address(value)
    return fold_text(value) if found is None else str(found)


def _asset(name: str) -> Callable[[Object], Sequence[Any]]:
    """Finds a field of the object's asset."""

    def find(one: Object) -> Sequence[Any]:
        return _listed(one.asset.get(name)) if one.asset else ()

    return find


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _addresses(one: Object) -> Sequence[Any]:
    if one.kind == IP:
        return (one.value,)
    if one.kind != ENDPOINT:
        return ()
    return (*_listed((one.asset or {}).get("addresses")), *_listed(one.facts.get("addresses")))


def _host(one: Object) -> Sequence[Any]:
    """The endpoint's name; of a file or process that of the endpoint it is on."""
    if one.kind == ENDPOINT:
        return (one.value,)
    return (one.facts.get("endpoint"),) if one.facts else ()


def _hour(facts: Facts) -> tuple[str, ...]:
    """The hour in the time zone of the playbook; nothing if the time is not known."""
    return () if facts.when is None else (str(facts.when.astimezone(zone_or_utc(facts.time_zone)).hour),)


_OWN: dict[str, Callable[[Object], Sequence[Any]]] = {
    "object_risk": lambda one: (one.risk or "unrated",),
    "observable": lambda one: (one.value,) if one.kind in _OBSERVABLES else (),
    "ip_address": _addresses,
    "endpoint_name": _host,
    "endpoint_type": _asset("type"),
    "operating_system": _asset("system"),
    "asset_group": _asset("groups"),
    "asset_criticality": _asset("criticality"),
    "custom_tag": _asset("tags"),
    "user_account": lambda one: (one.value,) if one.kind == ACCOUNT else (),
}
_NOTHING: Callable[[Facts], Iterable[Any]] = lambda facts: ()  # noqa: E731
_BESIDES: dict[str, Callable[[Facts], Iterable[Any]]] = dict.fromkeys(_OWN, _NOTHING) | {
    "observable": lambda facts: facts.observables,
    "ip_address": lambda facts: facts.addresses,
    "endpoint_name": lambda facts: facts.hostnames,
    "user_account": lambda facts: facts.accounts,
}
_OF_ALERT: dict[str, Callable[[Facts], Iterable[Any]]] = {
    "source": lambda facts: (facts.source,),
    "model": lambda facts: (facts.model,),
    "severity": lambda facts: (facts.severity,),
    "alert_tag": lambda facts: facts.alert_tags,
    "technique": lambda facts: facts.techniques,
    "hour_of_day": _hour,
}
