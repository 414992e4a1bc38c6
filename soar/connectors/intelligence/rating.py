"""Rating observables by all that may speak for or against them (response-playbooks.md 13, rulings 2).

Lists and feeds in the database first; then providers: what they said before, and, if asked for, what they say now.
A benign list or an exception ends it: no provider is asked about such a value. No answer is never "clean"."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from soar.connectors.intelligence.classes import BENIGN, CONTEXT
from soar.connectors.intelligence.consulting import Heard, Said, consult
from soar.connectors.intelligence.lookup import MALICIOUS, WEAK, Pair, Verdict, look_up, rate_effects, reason_of
from soar.connectors.intelligence.providers.base import Provider
from soar.connectors.intelligence.values import is_internal, subject
from soar.lib import clock

__all__ = ["Rating", "as_json", "rate_values"]


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
    pairs: Iterable[Pair],
    *,
    tlp: str,
    ask: bool,
    cause: uuid.UUID | None = None,
    pap: str = "",
    providers: list[Provider] | None = None,
) -> dict[Pair, Rating]:
    """The rating of each (type, value); values need not be normalised. Call it outside of any transaction.

    ``tlp`` (clear, green, amber, amber+strict, red, "" unknown) and ``pap`` of what the values come from: they may
    forbid to send them. ``ask``: providers whose kept answer is too old are asked, all within some seconds; without it
    nothing leaves, and kept answers count whatever their age. ``providers``: all
    enabled ones, if known. Never raises for a provider: its failure is a problem."""
    verdicts = look_up(pairs)
    asked = {pair: subject(*pair) for pair, verdict in verdicts.items() if not verdict.benign}
    heard = consult(dict.fromkeys(asked.values()), tlp=tlp, pap=pap, ask=ask, cause=cause, providers=providers)
    return {
        pair: _rating(pair, verdict, heard.get(asked.get(pair) or subject(*pair))) for pair, verdict in verdicts.items()
    }


def as_json(rating: Rating) -> dict[str, Any]:
    """A rating as it is kept with an observable and with a run's objects."""
    return {
        "risk": rating.risk,
        "rule": rating.rule,
        "evidence": rating.evidence,
        "scores": rating.scores,
        "benign": rating.benign,
        "at": clock.iso(rating.at),
        "age_seconds": rating.age_seconds,
        "problems": rating.problems,
    }


def _rating(pair: Pair, verdict: Verdict, heard: Heard | None) -> Rating:
    heard = heard or Heard()
    now = clock.now()
    told = [_evidence(said, now) for said in heard.said]
    local = {item["effect"] for item in verdict.evidence}
    risk, rule = rate_effects(local | {item["effect"] for item in told}, internal=is_internal(subject(*pair).address))
    if told or heard.problems:
        rule = _sentence(risk, rule, local, told, heard.problems)
    return Rating(
        risk,
        rule,
        [*verdict.evidence, *told],
        {said.provider.account.name: said.scores for said in heard.said},
        reason_of(verdict),
        now,
        max((item["age_seconds"] for item in told), default=0),
        heard.problems,
    )


def _evidence(said: Said, now: datetime) -> dict[str, Any]:
    opinion, age = said.provider.judge(said.scores), max(0, int((now - said.at).total_seconds()))
    about = {"list": said.provider.account.name, "text": opinion.text, "effect": opinion.effect}
    return {**about, "at": clock.iso(said.at), "age_seconds": age}


def _sentence(risk: str, rule: str, local: set[str], told: list[dict[str, Any]], problems: list[str]) -> str:
    """The rule in words that name the providers, where they decided."""
    by = {effect: ", ".join(one["list"] for one in told if one["effect"] == effect) for effect in
          (MALICIOUS, WEAK, BENIGN, CONTEXT)}  # fmt: skip
    if risk == "highly_suspicious":
        return rule if MALICIOUS in local else f"Over the threshold of {by[MALICIOUS]}, and on no benign list."
    if risk == "suspicious":
        against = by[MALICIOUS] or by[WEAK]
        if by[BENIGN]:
            return f"Conflicting evidence: {against or 'a list'} against it, {by[BENIGN]} for it."
        return rule if local & {MALICIOUS, WEAK} else f"Weak evidence, below the threshold of {against}."
    if by[BENIGN]:
        return f"Nothing against it; {by[BENIGN]} for it."
    if problems:
        return "Nothing is known against it; not every provider could say."
    return f"Nothing against it from {by[CONTEXT]}." if by[CONTEXT] and CONTEXT not in local else rule
