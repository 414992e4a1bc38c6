"""Rating observables by the lists in the database (rulings 2, response-playbooks.md 13): nobody outside is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from soar.connectors.intelligence.classes import BENIGN, CONTEXT
from soar.connectors.intelligence.queries import OwnHit, WarningHit, own_hits, warning_hits
from soar.connectors.intelligence.values import (
    ATTRIBUTES,
    REMEMBERED,
    Subject,
    digest,
    is_internal,
    own_names,
    parents,
    subject,
)
from soar.lib import clock
from soar.lib.text import defang

MALICIOUS = "malicious"
SUSPICIOUS = "suspicious"  # the word of feeds that are not sure
WEAK = "weak"
EXCEPTION = "exception"
Pair = tuple[str, str]
# Names for documentation (RFC 2606) are much visited, but nobody holds them: their popularity vouches for nothing.
NOBODYS = frozenset({"example.com", "example.net", "example.org"})
# Ruling 2, in its order: effects that must be there, that must not, the risk, the sentence.
RULES: tuple[tuple[set[str], set[str], str, str], ...] = (
    ({EXCEPTION}, set(), "unrated", "On the exception list: never rated, never acted upon."),
    ({MALICIOUS}, {BENIGN}, "highly_suspicious", "Exactly on a malicious list and on no benign list."),
    ({MALICIOUS}, set(), "suspicious", "Conflicting evidence: on a malicious and on a benign list."),
    ({WEAK, BENIGN}, set(), "suspicious", "Conflicting evidence: on a malicious and on a benign list."),
    ({WEAK}, set(), "suspicious", "Its host, a name above it or its network is on a malicious list."),
    ({BENIGN}, set(), "unrated", "Only on benign lists."),
    ({CONTEXT}, set(), "unrated", "On lists that tell something, but nothing for or against it."),
    (set(), set(), "unrated", "On no list."),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``risk``: highly_suspicious, suspicious or unrated. ``benign``: destructive actions on it are blocked.

    ``evidence``: ``{"list", "text", "effect"}`` with effect malicious, weak, benign, exception or context.
    ``rule``: the sentence that decided. ``at``: when the lists were asked.
    """

    risk: str
    benign: bool
    evidence: list[dict[str, str]] = field(default_factory=list)
    rule: str = ""
    at: datetime = field(default_factory=clock.now)


def look_up(pairs: Iterable[Pair]) -> dict[Pair, Verdict]:
    """The verdict of each (type, value), by two queries for all. Values need not be normalised."""
    subjects = {pair: subject(*pair) for pair in dict.fromkeys(pairs)}
    if not subjects:
        return {}
    found, at = _Found(list(subjects.values())), clock.now()
    return {pair: _judge(each, found, at) for pair, each in subjects.items()}


class _Found:
    """The hits of both queries, in reach of each subject."""

    def __init__(self, subjects: list[Subject]) -> None:
        self.addresses = _numbered(each.address for each in subjects)
        self.emails = _numbered(each.value for each in subjects if each.type == "email")
        names = {name for each in subjects for name in each.names if 0 < len(name) <= 255 and name.isprintable()}
        self.by_name: dict[str, list[WarningHit]] = defaultdict(list)
        self.by_number: dict[tuple[str, int], list[WarningHit]] = defaultdict(list)
        for hit in warning_hits(sorted(names), list(self.addresses), list(self.emails)):
            (self.by_name[hit.entry] if hit.kind == "name" else self.by_number[hit.kind, hit.number]).append(hit)
        digests = {key for each in subjects for key in own_digests(each)}
        self.own: dict[str | int, list[OwnHit]] = defaultdict(list)
        for own in own_hits(sorted(digests), list(self.addresses)):
            self.own[own.digest or own.number].append(own)

    def warnings(self, each: Subject) -> list[WarningHit]:
        """Hits on warning lists that are about this type of observable."""
        named = [hit for name in each.names for hit in self.by_name.get(name, ())]
        hits = [hit for hit in named if hit.below or hit.entry in {each.value, each.host, each.address}]
        hits += self.by_number.get(("network", self.addresses.get(each.address, 0)), [])
        hits += self.by_number.get(("pattern", self.emails.get(each.value, 0)), [])
        about = ATTRIBUTES.get(each.type, frozenset()) | (ATTRIBUTES["ip"] if each.address else frozenset())
        return [hit for hit in hits if about & set(hit.attributes)]

    def owns(self, each: Subject) -> list[OwnHit]:
        """Hits on the own list and the exceptions, each once."""
        keys: list[str | int] = [*own_digests(each), self.addresses.get(each.address, 0)]
        return list(dict.fromkeys(hit for key in keys for hit in self.own.get(key, ())))


def _numbered(texts: Iterable[str]) -> dict[str, int]:
    """Texts with their ordinal, from 1 as PostgreSQL counts."""
    wanted = dict.fromkeys(text for text in texts if text and text.isprintable())
    return {text: number for number, text in enumerate(wanted, 1)}


@lru_cache(maxsize=REMEMBERED)
def own_digests(each: Subject) -> tuple[str, ...]:
    """Keys under which own lists may speak of it: itself first, then its host and the names above."""
    keys = [digest(each.type, each.value)]
    keys += [digest("domain", name) for name in parents(each.host)] if each.host else []
    if each.address and each.type not in {"ip", "cidr"}:
        keys.append(digest("ip", each.address))
    return tuple(dict.fromkeys(keys))


def _judge(each: Subject, found: _Found, at: datetime) -> Verdict:
    evidence: list[dict[str, str]] = []
    for item in (_own_evidence(each, hit) for hit in found.owns(each)):
        if item not in evidence:
            evidence.append(item)
    evidence += _warning_evidence(each, found.warnings(each))
    effects = {item["effect"] for item in evidence}
    risk, rule = rate_effects(effects, internal=is_internal(each.address))
    return Verdict(risk, bool(effects & {BENIGN, EXCEPTION}), evidence, rule, at)


def rate_effects(effects: set[str], *, internal: bool) -> tuple[str, str]:
    """Risk and sentence for what is known: the first rule that fits (rulings 2)."""
    if not effects & {EXCEPTION, MALICIOUS, WEAK, BENIGN} and internal:
        return "unrated", "Private address, never sent to providers."
    return next((risk, text) for needs, lacks, risk, text in RULES if needs <= effects and not lacks & effects)


def _own_evidence(each: Subject, hit: OwnHit) -> dict[str, str]:
    # An address of a feed is found by its digest and as a network of one.
    exact = hit.digest == digest(each.type, each.value) or (hit.type, hit.value) == (each.type, each.value)
    effect = WEAK if hit.effect == SUSPICIOUS else hit.effect
    if effect == MALICIOUS and not exact:
        effect = WEAK
    if effect == BENIGN and not exact and not each.speaks_for_all:
        effect = CONTEXT
    # The value itself stands beside it; another one, which covers it, is named.
    entry = "" if exact else f"{hit.type} {defang(hit.value, hit.type)}"
    if hit.kind == "feed":
        return {"list": f"Feed {hit.added_by}", "text": ": ".join(filter(None, (entry, hit.reason))), "effect": effect}
    by = f", by {hit.added_by}" if hit.added_by else ""
    name = "Exception list" if hit.kind == "exception" else "Own list"
    return {"list": name, "text": f"{entry}{': ' if entry else ''}{hit.reason}{by}", "effect": effect}


def _warning_evidence(each: Subject, hits: list[WarningHit]) -> list[dict[str, str]]:
    shared = any(hit.group == "shared" for hit in hits)
    holders = own_names(each.host) if each.host and hits else frozenset()
    evidence = []
    for hit in dict.fromkeys(hits):
        # Known good counts for the holder of the name, for the whole observable, where nobody else can put things.
        good = each.speaks_for_all and not shared and hit.entry not in NOBODYS
        good = good and (hit.kind != "name" or not each.host or hit.entry in holders)
        effect = hit.effect if hit.effect != BENIGN or good else CONTEXT
        text = hit.group if hit.entry == each.value else f"{defang(hit.entry)} ({hit.group})"
        evidence.append({"list": hit.list, "text": text, "effect": effect})
    return evidence


def reason_of(verdict: Verdict) -> str:
    """Why nothing destructive may touch the value: the entries that protect it; "" if there are none."""
    if not verdict.benign:
        return ""
    by = {effect: [item for item in verdict.evidence if item["effect"] == effect] for effect in (EXCEPTION, BENIGN)}
    if by[EXCEPTION]:
        return f"On the exception list: {'; '.join(item['text'] for item in by[EXCEPTION][:3])}"
    return f"Known good: {'; '.join(': '.join(filter(None, (item['list'], item['text']))) for item in by[BENIGN][:3])}"
