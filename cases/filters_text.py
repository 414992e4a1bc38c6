"""Words and tags of a filter, asked for in the way that suits how common they are.

The index of the text (trigrams) is quick for a rare word and slow for one that every eighth alert holds; walking the
alerts in order is the other way round. A sample of the newest alerts and of all alerts tells which it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import BooleanField, F, Func, Q, Value

from cases.grants import AnyOf

SAMPLE = 160
# Held by one row in twenty of both samples. Below, the index is quicker than the walk; below RARE, all are listed.
COMMON = SAMPLE // 20
RARE = 1
GOLDEN = 0.6180339887  # spreads the sample evenly without any rhythm, which the alerts may have as well
HITS_AT_MOST = 2000
TAG, ALL = "\0", ""  # stands before a tag among words; the name of "all of them"
PIECE_AT_LEAST = 3  # the index knows groups of three characters
_ALPHANUMERIC = re.compile(r"[^\W_]+")

_SAMPLES = """
    (SELECT {figures} FROM (SELECT search, tags FROM cases_alert ORDER BY id DESC LIMIT {size}) newest)
    UNION ALL
    (SELECT {figures} FROM (SELECT min(id) AS low, max(id) AS high FROM cases_alert) t,
        generate_series(1, {size}) n CROSS JOIN LATERAL
        (SELECT search, tags FROM cases_alert WHERE id >= low + ((high - low) * (n * {golden} %% 1))::bigint
         ORDER BY id LIMIT 1) spread)
"""
# Read whole before the limit: with a limit the planner would rather read the table than the index.
_HITS = """
    WITH hits AS MATERIALIZED (SELECT id FROM cases_alert WHERE {where} AND strpos(search, %s) > 0)
    SELECT id FROM hits LIMIT {most}
"""


@dataclass
class Plan:
    """How to look for some words and tags, which a row must all match. Made by ``plan``. ``pieces``: parts of a word
    that the index is asked for in its place; what it finds is compared with the word."""

    common: frozenset[str] = frozenset()
    ids: dict[str, list[int]] = field(default_factory=dict)
    pieces: dict[str, list[str]] = field(default_factory=dict)

    def word(self, value: str) -> Q:
        """That the text holds ``value``."""
        if value in self.ids:
            return Q(AnyOf(F("pk"), self.ids[value]))
        whole = Q(_Holds(F("search"), Value(value)))
        if value in self.common:
            return whole
        pieces = self.pieces.get(value)
        return Q(*(Q(search__contains=one) for one in pieces)) & whole if pieces else Q(search__contains=value)

    def tag(self, value: str) -> Q:
        """That ``value`` is one of the tags."""
        return Q(_Tagged(Value(value), F("tags"))) if TAG + value in self.common else Q(tags__contains=[value])


def plan(words: Sequence[str], tags: Sequence[str], *, few: bool, alone: bool) -> Plan:
    """The plan for words and tags, all in lower case, that are all asked for. ``few``: only open work is looked at, so
    that walking it costs little; ``alone``: nothing else narrows the selection, so that a walk soon finds enough."""
    if not words and not tags:
        return Plan()
    wanted = dict.fromkeys([*words, *(piece for word in words for piece in pieces_of(word))])
    asked = [*words, *(TAG + tag for tag in tags)]
    newest, spread = _sampled([*wanted, *asked[len(words) :]], asked)
    # Open work is walked to its end sooner than the index has read a list of every twentieth alert there is.
    held = spread if few else {name: min(newest[name], spread[name]) for name in asked}
    common = frozenset(name for name in asked if held[name] >= COMMON)
    pieces = {word: [piece for piece in pieces_of(word) if spread[piece] < COMMON] for word in words}
    listed = {word: _ids(word, pieces[word]) for word in words if spread[word] < RARE}
    found = {word: ids for word, ids in listed.items() if ids is not None}
    # Common words may have nothing in common: then the walk would go on to the end.
    together = len(common) < len(asked) or min(newest[ALL], spread[ALL]) >= COMMON
    return Plan(common if found or few or (alone and together) else frozenset(), found, pieces)


def pieces_of(word: str) -> list[str]:
    """The parts of a word that the index can look for: ``host`` and ``1234`` of ``host-1234``, short ones with the
    signs beside them (``.20.``). The index is slow where a part stands in every alert: it is asked about the others.
    """
    pieces = []
    for one in _ALPHANUMERIC.finditer(word):
        short = len(one[0]) < PIECE_AT_LEAST
        pieces.append(word[max(one.start() - 1, 0) : one.end() + 1] if short else one[0])
    return [piece for piece in pieces if len(piece) >= PIECE_AT_LEAST]


def _sampled(names: Sequence[str], asked: Sequence[str]) -> list[dict[str, int]]:
    """How many alerts of the two samples hold each of ``names``, and all of ``asked``."""
    tests = {name: "%s = ANY(tags)" if name.startswith(TAG) else "strpos(search, %s) > 0" for name in names}
    values = [name.removeprefix(TAG) for name in names] + [name.removeprefix(TAG) for name in asked]
    conditions = [*tests.values(), " AND ".join(tests[name] for name in asked)]
    figures = ", ".join(f"count(*) FILTER (WHERE {one})" for one in conditions)
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES.format(figures=figures, size=SAMPLE, golden=GOLDEN), [*values, *values])
        return [dict(zip([*names, ALL], row, strict=True)) for row in cursor.fetchall()]


def _ids(word: str, pieces: Sequence[str]) -> list[int] | None:
    """Ids of the alerts that hold a rare word, read once for all figures of a page; None if they are too many."""
    like = [f"%{_escaped(piece)}%" for piece in pieces or [word]]
    where = " AND ".join(["search LIKE %s"] * len(like))
    with connection.cursor() as cursor:
        cursor.execute(_HITS.format(where=where, most=HITS_AT_MOST + 1), [*like, word])
        found = [pk for (pk,) in cursor.fetchall()]
    return found if len(found) <= HITS_AT_MOST else None


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


class _Holds(Func):
    """As ``contains``, but the index of trigrams is not asked."""

    template = "strpos(%(expressions)s) > 0"
    output_field = BooleanField()


class _Tagged(Func):
    """That an array holds a value, but its index is not asked."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()
