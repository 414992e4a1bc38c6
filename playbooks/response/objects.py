"""The objects of an alert that a response playbook works on (rulings 2): what its source highlights, and the entities.

Run, rehearsal and backtest use the same function. An object is plain JSON, kept with the run as ``targets``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cases.asset_facts import key_of, known_of
from cases.choices import Criticality
from cases.models import Alert
from soar.connectors.capabilities import (
    ACCOUNT,
    CLOUD_ACCOUNT,
    CONTAINER,
    DOMAIN,
    ENDPOINT,
    FILE,
    HASH,
    IP,
    MESSAGE,
    PROCESS,
    SENDER,
    URL,
)
from soar.lib.database import prepared

MOST = 600  # 500 observables of an alert are linked (rulings 18), and its entities
RATED = (HASH, URL, IP, DOMAIN)
HASHES = ("md5", "sha1", "sha256")
SENDERS = ("sender", "email_sender", "from", "source_user")
_KIND_OF_TYPE = {
    "ip": IP, "domain": DOMAIN, "url": URL, "file_path": FILE, "file_name": FILE, "process": PROCESS, "user": ACCOUNT,
    "hostname": ENDPOINT, **dict.fromkeys(HASHES, HASH),
}  # fmt: skip
_KIND_OF_ENTITY = {
    "host": ENDPOINT, "endpoint": ENDPOINT, "machine": ENDPOINT, "device": ENDPOINT,
    "account": ACCOUNT, "user": ACCOUNT, "useraccount": ACCOUNT, "emailaddress": ACCOUNT, "mailbox": ACCOUNT,
    "process": PROCESS, "file": FILE, "message": MESSAGE, "emailmessage": MESSAGE, "mailmessage": MESSAGE,
    "container": CONTAINER, "pod": CONTAINER, "cloudidentity": CLOUD_ACCOUNT, "cloudaccount": CLOUD_ACCOUNT,
    "iamuser": CLOUD_ACCOUNT,
}  # fmt: skip
NAMED = (
    "SELECT o.type, o.value, l.role, l.highlighted FROM cases_alertobservable l"
    " JOIN cases_observable o ON o.id = l.observable_id WHERE l.alert_id = %s ORDER BY l.id"
)
_NOT_FACTS = {"name", "type", "related", "observables", "provenance", "id", "criticality", "groups", "tags"}
Target = dict[str, Any]
Pair = tuple[str, str]
Named = tuple[str, str, str, bool]  # type, value, role, highlighted


def objects_of(alert: Alert, named: Sequence[Named] | None = None) -> list[Target]:
    """The objects of an alert, not rated yet: highlighted observables first, then entities.

    ``[{"key": "o1", "kind", "type", "value", "risk": "unrated", "rule", "evidence", "scores", "rated_at", "benign": "",
    "related": [keys], "facts": {}, "asset": {...} | None, "highlighted": bool}]``, at most 600.
    Two queries, or one with what ``named_by`` found."""
    observables = named_by(alert) if named is None else named
    return objects_from(alert, observables, known_of([alert.pk])[alert.pk])


def named_by(alert: Alert) -> list[Named]:
    """The observables of an alert, in the order of its source. One query."""
    with prepared() as cursor:
        return list(cursor.execute(NAMED, [alert.pk], prepare=True).fetchall())


def objects_from(alert: Alert, observables: Sequence[Named], assets: Iterable[Mapping[str, Any]]) -> list[Target]:
    """The same from rows that were read already, for many alerts at once: observables as (type, value, role,
    highlighted), assets as ``cases.asset_facts.known_of`` gives them."""
    known = {row["key"]: row for row in assets}
    found = _Found()
    for type, value, role, _ in highlighted(observables):
        found.add(_of_observable(type, value, role, alert))
    for entity in alert.entities if isinstance(alert.entities, list) else []:
        if isinstance(entity, dict):
            found.add_entity(entity, known, alert)
    _own_columns(found, known, alert)
    found.relate()
    _complete(found.objects, observables, alert)
    return found.objects[:MOST]


def highlighted(rows: Sequence[Named]) -> list[Named]:
    """What the source marks; without marks every hash, URL, IP and domain, and the senders of messages (rulings 2)."""
    marked = [row for row in rows if row[3]]
    return marked or [row for row in rows if _KIND_OF_TYPE.get(row[0]) in RATED or _is_sender(row[0], row[2])]


def kind_of(type: str, role: str = "") -> str:
    """The kind of target that an observable is; "" for one that nothing can be done to."""
    if type == "email":
        return SENDER if _is_sender(type, role) else ACCOUNT
    return _KIND_OF_TYPE.get(type, "")


def _is_sender(type: str, role: str) -> bool:
    return type == "email" and any(word in role.lower() for word in SENDERS)


class _Found:
    """Objects, each (kind, value) once, with what relates them."""

    def __init__(self) -> None:
        self.objects: list[Target] = []
        self._by_value: dict[tuple[str, str, str], Target] = {}
        self._by_pair: dict[Pair, Target] = {}
        self._named: list[tuple[Target, list[Pair]]] = []

    def add(self, one: Target | None) -> Target | None:
        """Take the object in, or what is new of it into the one that is there."""
        if one is None or not one["value"]:
            return None
        box = str(one["facts"].get("mailbox") or "") if one["kind"] == MESSAGE else ""
        key = (one["kind"], one["value"].casefold(), box.casefold())
        have = self._by_value.get(key)
        if have is None:
            one["key"] = f"o{len(self.objects) + 1}"
            self.objects.append(one)
            self._by_value[key] = have = one
        else:
            have["facts"] = {**one["facts"], **have["facts"]}
            have["asset"] = have["asset"] or one["asset"]
        self._by_pair.setdefault((one["type"], one["value"]), have)
        return have

    def add_entity(self, entity: dict[str, Any], known: Mapping[str, Any], alert: Alert) -> None:
        """An entity, and which observables the source relates it to."""
        one = self.add(_of_entity(entity, known, alert))
        pairs = entity.get("observables")
        if one is not None and isinstance(pairs, list):
            self._named.append((one, [(str(p[0]), str(p[1])) for p in pairs if isinstance(p, list) and len(p) == 2]))

    def relate(self) -> None:
        """Write the relations on both sides."""
        for entity, pairs in self._named:
            for other in (self._by_pair.get(pair) for pair in pairs):
                if other is not None and other is not entity:
                    _link(entity, other)
                    _link(other, entity)


def _link(one: Target, other: Target) -> None:
    if other["key"] not in one["related"]:
        one["related"].append(other["key"])


def _object(kind: str, type: str, value: str, *, highlighted: bool, facts: dict[str, Any] | None = None) -> Target:
    return {
        "key": "", "kind": kind, "type": type, "value": value, "risk": "unrated", "rule": "", "evidence": [],
        "scores": {}, "rated_at": None, "benign": "", "related": [], "facts": facts or {}, "asset": None,
        "highlighted": highlighted,
    }  # fmt: skip


def _of_observable(type: str, value: str, role: str, alert: Alert) -> Target | None:
    kind = kind_of(type, role)
    facts: dict[str, Any] = {"role": role} if role else {}
    if kind == HASH:
        facts["type"] = type
    if kind == FILE:
        facts |= {"file_path" if type == "file_path" else "file_name": value, "endpoint": alert.hostname}
    if kind == PROCESS:
        facts |= {"name": value, "endpoint": alert.hostname}
    return _object(kind or "other", type, value, highlighted=True, facts=facts)


def _of_entity(entity: dict[str, Any], known: Mapping[str, Any], alert: Alert) -> Target | None:
    asset_key = key_of(entity)
    word = str(entity.get("type", "")).replace("_", "").replace(" ", "").lower()
    kind = ENDPOINT if asset_key else _KIND_OF_ENTITY.get(word, "")
    if not kind:
        return None
    facts = {key: value for key, value in entity.items() if key not in _NOT_FACTS and value not in ("", [], None)}
    if kind in (PROCESS, FILE):
        facts = {"endpoint": entity.get("host") or alert.hostname, "name": str(entity.get("name", "")), **facts}
    type = {ENDPOINT: "hostname", ACCOUNT: "user", PROCESS: "process"}.get(kind, kind)
    one = _object(kind, type, str(entity.get("name", "")).strip(), highlighted=False, facts=facts)
    one["asset"] = asset_of(known[asset_key]) if asset_key in known else None
    return one


def asset_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """What conditions and the never-touch list ask of an asset (its row), in the words of the API."""
    facts = {name: row[name] for name in ("name", "type", "system", "addresses", "groups", "tags")}
    return {**facts, "criticality": Criticality(row["criticality"]).word}


def _own_columns(found: _Found, known: Mapping[str, Any], alert: Alert) -> None:
    """The host and the account that the alert is about, where no entity tells of them."""
    if alert.hostname:
        found.add_entity({"name": alert.hostname, "addresses": []}, known, alert)
    if alert.username and not any(one["kind"] == ACCOUNT for one in found.objects):
        found.add(_object(ACCOUNT, "user", alert.username, highlighted=False))


def _complete(objects: list[Target], observables: Sequence[Named], alert: Alert) -> None:
    """What products need besides the name: on which host a file or process is, and by which hash it is known.

    The hash of the alert's only file; with several nobody knows which is meant, and a wrong one would be stopped."""
    endpoints = {one["value"].casefold(): one for one in objects if one["kind"] == ENDPOINT}
    hashes = {type: [row[1] for row in observables if row[0] == type] for type in HASHES}
    for one in objects:
        if one["kind"] not in (PROCESS, FILE):
            continue
        facts = one["facts"]
        host = endpoints.get(str(facts.get("endpoint") or "").casefold())
        if host is not None and host["facts"].get("guid"):
            facts.setdefault("guid", host["facts"]["guid"])
        for type, values in hashes.items():
            if len(values) == 1:
                facts.setdefault(type, values[0])
