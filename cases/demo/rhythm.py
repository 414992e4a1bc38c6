"""When ordinary alerts come in: many by day, few at night and on the weekend; and how quickly people act."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from cases.demo.catalog import TEMPLATES

DAYS = 14
ORDINARY = 350  # alerts of ordinary days; with those of the stories some 400
# Share of each hour of the day, UTC; the company is in central Europe.
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 9, 7, 8, 9, 9, 7, 5, 3, 2, 2, 2, 1, 1, 1)
ALWAYS = (3, 4, 4, 4, 3, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 4, 4, 3)
WEEKEND = 0.3


def ordinary(now: datetime, rng: random.Random) -> list[tuple[datetime, str]]:
    """Moments of the last two weeks with the template of what came then, in order."""
    names = [name for name, template in TEMPLATES.items() if template.weight]
    weights = [TEMPLATES[name].weight for name in names]
    chosen = rng.choices(names, weights, k=ORDINARY)
    return sorted((moment(now, rng, always=TEMPLATES[name].always), name) for name in chosen)


def moment(now: datetime, rng: random.Random, *, always: bool) -> datetime:
    """One moment between two weeks and three minutes ago, by the share of its hour."""
    shares = ALWAYS if always else HOURS
    while True:
        found = now - timedelta(minutes=3) - timedelta(days=DAYS) * rng.random()
        share = shares[found.hour] / max(shares)
        if not always and found.weekday() >= 5:
            share *= WEEKEND
        if rng.random() < share:
            return found


def stays_open(age: timedelta, rng: random.Random) -> bool:
    """Whether an alert of this age is still open: most of the last hours', few of the older ones."""
    hours = age.total_seconds() / 3600
    chance = 0.9 if hours < 3 else 0.65 if hours < 12 else 0.4 if hours < 30 else 0.2 if hours < 80 else 0.03
    return rng.random() < chance
