"""All alerts that match a filter, as a bulk action means them: as of one moment, up to one id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from cases.errors import Refused
from cases.filters import AlertFilter
from cases.models import Alert, BulkJob
from cases.querysets import AlertQuerySet
from soar.accounts.models import User
from soar.lib import clock

IN_QUEUE = "in=queue"


@dataclass(frozen=True, slots=True)
class Selection:
    """``query`` is a filter's query string; alerts with an id behind ``cut_off`` came later and are not meant."""

    query: str
    cut_off: int


def selection_of(given: AlertFilter, cut_off: int | None = None) -> Selection:
    """What a filter means now; that the queue leaves some out unsaid (resolved, held back) is kept with it."""
    newest = Alert.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    query = given.query_string()
    if given.default_open:
        query = f"{query}&{IN_QUEUE}" if query else IN_QUEUE
    return Selection(query, min(cut_off, newest) if cut_off is not None else newest)


def rows_of(user: User, selection: Selection) -> QuerySet[Alert]:
    """The alerts meant that the person sees. Raises Refused for a filter that cannot be read."""
    params = QueryDict(selection.query)
    chosen = AlertFilter.parse(params, default_open=params.get("in") == "queue")
    rows = chosen.apply(Alert.objects.visible_to(user), user)
    if chosen.errors:
        raise Refused(" ".join(chosen.errors), field="filter")
    return cast(AlertQuerySet, rows).filter(pk__lte=selection.cut_off)


def count_of(user: User, selection: Selection, most: int) -> int:
    """How many alerts are meant, counted to one more than ``most``."""
    return rows_of(user, selection).order_by()[: most + 1].values("pk").count()


def meant(job: BulkJob, user: User) -> QuerySet[Alert]:
    """The alerts that a job's filter means: "24h" before it was asked for, "today" in its user's zone."""
    with clock.at(job.created_at), timezone.override(clock.zone_of(job.time_zone)):
        return rows_of(user, Selection(job.query or "", job.cut_off or 0))
