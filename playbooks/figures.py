"""How the playbooks fare: last run, runs of 30 days, success, duration. One query however many runs there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.expressions import RawSQL

from playbooks.models import Run
from soar.accounts.models import User

DAYS = 30
# Looked at for each playbook, newest first: more would make the page slow and the figures no truer.
RUNS_AT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Figures:
    """``runs`` of the last 30 days, at most 1,000 (then ``more``). ``success`` is the share in percent of those that
    ended and were not cancelled, ``seconds`` their mean time from start to end; None without any. ``good``: how many
    were successful, of those that were looked at."""

    last_run: int | None
    last_status: str
    last_at: datetime | None
    runs: int
    more: bool
    success: int | None
    seconds: float | None
    good: int = 0


NONE = Figures(None, "", None, 0, False, None, None)

_FIGURES = """
SELECT p.id, f.* FROM playbooks_playbook p CROSS JOIN LATERAL (
  SELECT (array_agg(r.id ORDER BY r.id DESC))[1], (array_agg(r.status ORDER BY r.id DESC))[1],
    (array_agg(r.queued_at ORDER BY r.id DESC))[1],
    count(*) FILTER (WHERE r.queued_at > now() - %s),
    count(*) FILTER (WHERE r.queued_at > now() - %s AND r.status = 'successful'),
    count(*) FILTER (WHERE r.queued_at > now() - %s
      AND r.status IN ('successful', 'partially_successful', 'unsuccessful')),
    extract(epoch FROM avg(r.finished_at - r.started_at) FILTER (WHERE r.queued_at > now() - %s
      AND r.status IN ('successful', 'partially_successful', 'unsuccessful')))
  FROM ({runs}) r) f"""


def figures(user: User, *playbooks: int) -> dict[int, Figures]:
    """``{playbook id: Figures}`` of the runs that the person may see; of these playbooks alone if any are given."""
    rows = Run.objects.visible_to(user).filter(playbook=RawSQL("p.id", []))
    runs = rows.order_by("-id").values("id", "status", "queued_at", "started_at", "finished_at")[: RUNS_AT_MOST + 1]
    statement, values = runs.query.sql_with_params()
    month = timedelta(days=DAYS)
    only = " WHERE p.id = ANY(%s)" if playbooks else ""
    given = [month] * 4 + list(values) + ([list(playbooks)] if playbooks else [])
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES.format(runs=statement) + only, given)
        return {pk: _figures(*row) for pk, *row in cursor.fetchall()}


def _figures(
    last: int | None,
    status: str | None,
    at: datetime | None,
    month: int,
    good: int,
    ended: int,
    seconds: float | None,
) -> Figures:
    success = good * 100 // ended if ended else None
    more = month > RUNS_AT_MOST
    return Figures(
        last, status or "", at, min(month, RUNS_AT_MOST), more, success,
        float(seconds) if seconds is not None else None, good,
    )  # fmt: skip
