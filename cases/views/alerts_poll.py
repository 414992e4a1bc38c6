"""The poll of the queue: how many came, and the rows that changed, in place. Rows never move under the reader."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cases import stats
from cases.choices import Severity
from cases.models import Alert
from cases.views.alerts import TEMPLATE
from cases.views.alerts_queue import Queue, newest_of_all, poll_context, queue_of
from cases.views.alerts_rows import parse_stamp, rows_of
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.lib.htmx import render_regions
from soar.lib.place import unseal

NEW_AT_MOST = 100


@signed_in_reader
@require_safe
def alert_poll(request: HttpRequest) -> HttpResponse:
    """204 while nothing is new; else the pill and the rows that read differently now. A page without a place that was
    given to this person gets one: what is there now is not new."""
    queue = queue_of(request, person_of(request))
    shown = parse_stamp(request.GET.get("rows", ""))
    place, told = unseal(queue.user.pk, request.GET.get("after", "")), _number(request, "told")
    after = newest_of_all() if place is None else place
    changed, present = _changed(queue, shown)
    base = stats.base_of(queue.rows)
    news = stats.run(
        {
            "new": base.where("id > %s", after, cap=NEW_AT_MOST),
            "critical": base.where(f"id > %s AND severity = {Severity.CRITICAL.value}", after, cap=NEW_AT_MOST),
        }
    )
    if place is not None and not changed and news["new"].number == told:
        return HttpResponse(status=204)
    context = {
        "news": news,
        "here": queue.here(),
        "first_new": queue.rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True).first(),
        "rows": rows_of(queue.user, changed),
        "poll_url": _next_url(queue, present, after, news["new"].number),
        "may_work": may(queue.user, "work_cases"),
    }
    return render_regions(request, TEMPLATE, ["new", "changed"] if changed else ["new"], context)


def _changed(queue: Queue, shown: dict[int, tuple[int, int]]) -> tuple[list[Alert], list[Alert]]:
    """Rows that differ from what the page shows, and all that may still be seen. Those that left the filter stay where
    they are, as they are now: a reader's place is not lost."""
    if not shown:
        return [], []
    stamps = {
        alert.pk: alert
        for alert in queue.visible.filter(pk__in=shown).only("pk", "version", "count", "severity", "status")
    }
    ids = [pk for pk, alert in stamps.items() if shown[pk] != (alert.version, alert.count)]
    present = [stamps[pk] for pk in shown if pk in stamps]
    return (list(queue.visible.with_line_data().filter(pk__in=ids)) if ids else []), present


def _next_url(queue: Queue, present: list[Alert], after: int, told: int) -> str:
    url: str = poll_context(queue, present, after)["poll_url"]
    return f"{url}&told={told}"


def _number(request: HttpRequest, name: str) -> int:
    value = request.GET.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 18 else 0
