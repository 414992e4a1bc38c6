"""Rating the objects of an alert before the first condition (response-playbooks.md 13, rulings 2)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from cases.choices import Risk
from cases.digests import value_digest
from cases.models import Alert
from playbooks.response.marking import tlp_of
from playbooks.response.objects import RATED, Target
from soar.connectors.capabilities import SENDER
from soar.connectors.intelligence.providers.base import Provider
from soar.connectors.intelligence.rating import Rating, rate_values
from soar.lib.clock import iso
from soar.lib.database import prepared

# By the order of their ids, as two runs may rate the same values.
KEEP = """
WITH given AS (
    SELECT o.id, g.risk, g.rating, g.at FROM json_to_recordset(%s::json)
        AS g(type text, digest text, risk smallint, rating jsonb, at timestamptz)
    JOIN cases_observable o ON o.digest = decode(g.digest, 'hex') AND o.type = g.type
    ORDER BY o.id FOR NO KEY UPDATE OF o
)
UPDATE cases_observable o SET risk = given.risk, rating = given.rating, rated_at = given.at
FROM given WHERE o.id = given.id"""
RANK = {"unrated": 0, "suspicious": 1, "highly_suspicious": 2}


def rate(objects: list[Target], alert: Alert, ask_providers: bool, providers: list[Provider] | None = None) -> None:
    """Rate the objects in place: ``risk``, ``rule``, ``evidence``, ``scores``, ``rated_at``, ``benign``.

    ``providers``: all enabled ones, if known.

    Observables by lists and, with ``ask_providers``, by the providers that the TLP of alert and incident allows;
    entities take the highest risk of what the source relates them to (``inherit``). Calls other products, so outside of
    any transaction. Never raises for a provider that fails: such an object is *unrated* with the reason."""
    pairs = {(one["type"], one["value"]) for one in objects if one["kind"] in (*RATED, SENDER)}
    pap = alert.incident.pap if alert.incident is not None else ""
    found = rate_values(pairs, tlp=tlp_of(alert), ask=ask_providers, cause=alert.cause, pap=pap, providers=providers)
    for one in objects:
        if rating := found.get((one["type"], one["value"])):
            one.update(_facts(rating))
    inherit(objects)


def _facts(rating: Rating) -> dict[str, Any]:
    """A rating as the object keeps it; a provider's failure is part of the rule, never "clean" (13)."""
    return {
        "risk": rating.risk,
        "rule": " ".join([rating.rule, *rating.problems]),
        "evidence": rating.evidence,
        "scores": rating.scores,
        "rated_at": iso(rating.at),
        "benign": rating.benign,
    }


def inherit(objects: list[Target]) -> None:
    """Give each entity the highest risk among the rated objects related to it; without relations, the highest among
    the alert's; with none, *unrated* (rulings 2)."""
    by_key = {one["key"]: one for one in objects}
    rated = [one for one in objects if one["kind"] in (*RATED, SENDER)]
    for one in objects:
        if one["kind"] in (*RATED, SENDER):
            continue
        near = [by_key[key] for key in one["related"] if key in by_key and by_key[key]["kind"] in (*RATED, SENDER)]
        worst = max(near or rated, key=lambda other: RANK[other["risk"]], default=None)
        if worst is not None and RANK[worst["risk"]]:
            one["risk"] = worst["risk"]
            whose = "which the source relates to it" if near else "the worst of the alert"
            one["rule"] = f"As {worst['type']} {worst['value'][:200]}, {whose}."


def keep(objects: Iterable[Target]) -> None:
    """Keep the ratings with the observables, for the pages of alerts and observables. One statement."""
    rated = [one for one in objects if one["kind"] in (*RATED, SENDER) and one["rated_at"]]
    given = [
        {
            "type": one["type"],
            "digest": value_digest(one["value"]).hex(),
            "risk": Risk.from_word(one["risk"]).value,
            "rating": {"rule": one["rule"], "evidence": one["evidence"], "scores": one["scores"]},
            "at": one["rated_at"],
        }
        for one in rated
    ]
    if given:
        with prepared() as cursor:
            cursor.execute(KEEP, [json.dumps(given)], prepare=True)
