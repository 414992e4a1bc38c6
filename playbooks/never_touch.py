"""The never-touch list: hosts, accounts and addresses on which nothing destructive runs by itself (spec 18, rulings 9).

``match`` is pure; ``rules`` reads the list with one query, so that a change counts for the very next task."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from playbooks.models import NeverTouch

BY = ("name", "tag", "criticality", "network")
CRITICALITY = ("low", "medium", "high", "critical")
# Facts that a connector goes by instead of the target's value: what they name is what it acts on.
INSTEAD = {
    "account": ("user_id", "user_name", "account_name"),
    "cloud_account": ("user_id", "user_name", "account_name"),
    "container": ("pod", "pod_uid", "ecs_task"),
}
Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line of the list; ``value`` in lower case. ``kinds``: kinds of target it is about, none is all."""

    by: str
    value: str
    kinds: tuple[str, ...]
    reason: str
    shown: str
    id: int = 0


def rules() -> list[Rule]:
    """The list as it is now."""
    rows = NeverTouch.objects.values_list("by", "value", "kinds", "reason", "id")
    return [
        Rule(by, plain(value) if by == "name" else value.lower(), tuple(kinds), reason, f"{by} {value}", pk)
        for by, value, kinds, reason, pk in rows
    ]


def plain(name: str) -> str:
    """The one form of a name: in small letters, without the dot that ends a full name of the DNS; an address as it is
    written shortest, one of IPv4 that is written in IPv6 (``::ffff:10.0.0.5``) as what it is."""
    text = name.strip().lower()
    text = text.rstrip(".") or text
    found = _address(text)
    return str(found) if found is not None else text


def match(
    listed: Iterable[Rule], target_kind: str, value: str, facts: Facts | None = None, asset: Facts | None = None
) -> str:
    """Why nothing destructive may touch this target without being asked; "" if nothing speaks against it.

    ``facts`` as in soar.connectors.capabilities.Target. ``asset``: groups, criticality, tags, addresses, or None.
    A process, file or container is also what runs on its host: the host's rules hold for it."""
    return next(_matching(listed, target_kind, value, facts, asset), "")


def matches(
    listed: Iterable[Rule], target_kind: str, value: str, facts: Facts | None = None, asset: Facts | None = None
) -> list[str]:
    """All that speaks against it, as ``match`` says the first of it."""
    return list(_matching(listed, target_kind, value, facts, asset))


def _matching(
    listed: Iterable[Rule], target_kind: str, value: str, facts: Facts | None, asset: Facts | None
) -> Iterator[str]:
    target = _Target(target_kind, value, facts or {}, asset or {})
    for rule in listed:
        if rule.value and target.is_held_by(rule):
            yield f"Never-touch list: {rule.reason} ({rule.shown})"


class _Target:
    """What a rule can be about: names and addresses, each with the kind of thing that bears it."""

    def __init__(self, kind: str, value: str, facts: Facts, asset: Facts) -> None:
        self.kind = kind
        self.whole = list(_names(kind, value, facts, asset))
        self.names = [(one, form) for one, name in self.whole for form in {name, *_short(one, name)}]
        self.addresses = list(_addresses(kind, value, facts, asset))
        self.tags = {str(tag).lower() for source in (asset, facts) for tag in _listed(source.get("tags"))}
        self.criticality = str(asset.get("criticality") or "").lower()

    def is_held_by(self, rule: Rule) -> bool:
        if rule.by == "name":
            if any(_about(rule, kind) and _like(rule.value, name) for kind, name in self.names):
                return True
            # A bare name may be the one that the rule names with its domain: rather asked once too often.
            return any(_about(rule, kind) and name in _short(kind, rule.value) for kind, name in self.whole)
        if rule.by == "network":
            return any(_about(rule, kind) and _inside(rule.value, address) for kind, address in self.addresses)
        if not any(_about(rule, kind) for kind in {self.kind, *(kind for kind, _name in self.names)}):
            return False
        if rule.by == "tag":
            return rule.value in self.tags
        return rule.by == "criticality" and _at_least(self.criticality, rule.value)


def _names(kind: str, value: str, facts: Facts, asset: Facts) -> Iterator[tuple[str, str]]:
    given = [(kind, value), (kind, facts.get("guid")), ("endpoint", facts.get("endpoint"))]
    given += [("endpoint", asset.get("name")), ("account", facts.get("account"))]
    given += [(kind, facts.get(name)) for name in INSTEAD.get(kind, ())]
    if kind == "url":
        given.append((kind, _host(value)))
    if kind == "sender":
        given.append((kind, value.rpartition("@")[2]))
    if kind == "message":
        given.append(("account", facts.get("mailbox")))
    for one, name in given:
        if text := plain(str(name or "")):
            yield one, text


def _short(kind: str, name: str) -> tuple[str, ...]:
    """``srv-1`` of ``srv-1.corp.example``; ``a.voss`` of ``CORP\\a.voss``, ``corp/a.voss`` and ``a.voss@corp.example``;
    ``deploy`` of ``arn:aws:iam::123456789012:user/deploy``."""
    if kind == "endpoint" and not _is_address(name):
        return (name.partition(".")[0],)
    if kind == "account":
        bare = re.split(r"[\\/]", name)[-1]
        return (bare.partition("@")[0], bare)
    if kind == "cloud_account" and "/" in name:
        return (name.rpartition("/")[2],)
    return ()


def _addresses(kind: str, value: str, facts: Facts, asset: Facts) -> Iterator[tuple[str, str]]:
    own = [value] if kind in ("ip", "endpoint") else [_host(value)] if kind == "url" else []
    # The host's addresses are the target's own only where the target is on the host.
    host = [*_listed(facts.get("addresses")), *_listed(asset.get("addresses"))]
    for kind_of, found in ((kind, own), ("endpoint" if host else kind, host)):
        yield from ((kind_of, str(one)) for one in found if _is_address(str(one)))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) and value else []


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _about(rule: Rule, kind: str) -> bool:
    return not rule.kinds or kind in rule.kinds


def _like(pattern: str, name: str) -> bool:
    """Equal, or with ``*`` at either end: ends with, starts with, contains."""
    middle = pattern.strip("*")
    start, end = pattern.startswith("*"), pattern.endswith("*")
    if start and end:
        return middle in name
    if start:
        return name.endswith(middle)
    return name.startswith(middle) if end else name == pattern


def _inside(network: str, address: str) -> bool:
    try:
        within = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    found = _address(address)
    return found is not None and found in within


def _is_address(text: str) -> bool:
    return _address(text) is not None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _at_least(criticality: str, wanted: str) -> bool:
    if criticality not in CRITICALITY or wanted not in CRITICALITY:
        return False
    return CRITICALITY.index(criticality) >= CRITICALITY.index(wanted)
