"""What a page shows of an observable's rating: rule, evidence with scores and age, who could not say."""

from __future__ import annotations

from typing import Any

from cases.actions.ratings import is_asking
from cases.choices import Risk
from cases.models import Observable
from soar.lib import clock
from soar.lib.text import defang


def rating_of(one: Observable) -> dict[str, Any]:
    """The context of the rating. What is kept comes from playbooks too: nothing of its shape is taken for granted."""
    kept = one.rating if isinstance(one.rating, dict) else {}
    scores = kept.get("scores") if isinstance(kept.get("scores"), dict) else {}
    evidence = [item for item in _list(kept.get("evidence")) if isinstance(item, dict)]
    return {
        "observable": one,
        "defanged": defang(one.value, one.type),
        "risk": Risk(one.risk),
        "rule": str(kept.get("rule") or ""),
        "benign": str(kept.get("benign") or ""),
        "problems": [str(text) for text in _list(kept.get("problems"))],
        "evidence": [_item(item, scores or {}) for item in evidence],
        "asking": is_asking(one),
    }


def _item(item: dict[str, Any], scores: dict[str, Any]) -> dict[str, Any]:
    """A piece of evidence, with the raw scores of the provider that gave it and when it did."""
    raw = scores.get(str(item.get("list")))
    at = clock.moment_of(item["at"]) if isinstance(item.get("at"), str) else None
    return {**item, "at": at, "scores": sorted(_shown(raw)) if isinstance(raw, dict) else []}


def _shown(scores: dict[str, Any]) -> list[tuple[str, str]]:
    said = [(str(name).replace("_", " "), value) for name, value in scores.items()]
    pairs = [(name, value) for name, value in said if value is not False and value not in ("", None, [])]
    return [(name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)) for name, value in pairs]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
