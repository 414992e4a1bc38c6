"""Answers of providers that are kept: shown with their age, asked for again when they are too old."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from soar.connectors.intelligence.values import digest
from soar.connectors.models import ProviderAnswer
from soar.lib import clock

KEPT = timedelta(days=30)
Key = tuple[int, str, str]  # account, type, value as it was sent


def kept_answers(keys: Iterable[Key]) -> dict[Key, ProviderAnswer]:
    """What is kept for these, by one query."""
    wanted = {(account, digest(type_, value)): (account, type_, value) for account, type_, value in keys}
    if not wanted:
        return {}
    rows = ProviderAnswer.objects.filter(
        account__in={account for account, _digest in wanted}, digest__in=sorted({key for _account, key in wanted})
    )
    return {wanted[row.account_id, row.digest]: row for row in rows if (row.account_id, row.digest) in wanted}


def keep(account_id: int, type_: str, value: str, scores: dict[str, Any] | None) -> datetime:
    """Keep an answer in place of an older one; None is "not known". Returns its time."""
    row = ProviderAnswer(account_id=account_id, type=type_, value=value[:2048], digest=digest(type_, value))
    row.known, row.scores, row.fetched_at = scores is not None, scores or {}, clock.now()
    ProviderAnswer.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["digest", "account"],
        update_fields=["known", "scores", "fetched_at"],
    )
    return row.fetched_at


def purge() -> None:
    """Forget what is older than thirty days. Scheduled."""
    ProviderAnswer.objects.filter(fetched_at__lt=clock.now() - KEPT).delete()
