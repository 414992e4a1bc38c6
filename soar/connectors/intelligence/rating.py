"""Rating observables by all that may speak for or against them (response-playbooks.md 13, rulings 2).

Lists and feeds in the database first; then providers: what they said before, and, if asked for, what they say now.
A benign list or an exception ends it: no provider is asked about such a value. No answer is never "clean"."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soar.connectors.intelligence.lookup import Pair, Verdict, look_up, reason_of
from soar.lib import clock

__all__ = ["Rating", "rate_values"]


@dataclass(frozen=True, slots=True)
class Rating:
    """``risk``: highly_suspicious, suspicious or unrated; ``rule``: the sentence that decided.

    ``evidence``: ``{"list", "text", "effect"}``, effect malicious, weak, benign, exception or context; of providers
    also ``"at"`` (ISO 8601) and ``"age_seconds"``. ``scores``: raw numbers by name of the provider's account.
    ``benign``: why nothing destructive may touch it, "" if nothing forbids it. ``age_seconds``: of the oldest answer
    that was used, 0 when all were asked now. ``problems``: a sentence for each provider that could not say."""

    risk: str
    rule: str
    evidence: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    benign: str = ""
    at: datetime = field(default_factory=clock.now)
    age_seconds: int = 0
    problems: list[str] = field(default_factory=list)


def rate_values(
    pairs: Iterable[Pair], *, tlp: str, ask: bool, cause: uuid.UUID | None = None, pap: str = ""
) -> dict[Pair, Rating]:
    """The rating of each (type, value); values need not be normalised. Call it outside of any transaction.

    ``tlp`` (clear, green, amber, amber+strict, red, "" unknown) and ``pap`` of what the values come from: they may
    forbid to send them. ``ask``: providers whose kept answer is too old are asked, all within some seconds; without it
    nothing leaves, and kept answers count whatever their age. Never raises for a provider: its failure is a problem."""
    return {pair: _of(verdict) for pair, verdict in look_up(pairs).items()}


def _of(verdict: Verdict) -> Rating:
    return Rating(verdict.risk, verdict.rule, list(verdict.evidence), benign=reason_of(verdict), at=verdict.at)
