"""The queue and the list of incidents as CSV: what the filter finds, in the order of the list (casework.md 2, 6).
For those who may export."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases import list_csv
from cases.choices import AlertStatus, Determination, IncidentStatus, Severity, Tlp
from cases.models import Alert, Incident, IncidentTask
from cases.restricted_views import note_rows
from cases.sla.states import due_of, state_of
from cases.sla.triage import waits_of
from cases.views.alerts_queue import queue_of
from cases.views.alerts_rows import incidents_seen
from cases.views.incidents import order_of, selected
from cases.views.parts import needs, person_of
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib.clock import iso
from soar.lib.keyset import Page, keyset_page

ALERT = (
    "number", "tlp", "title", "severity", "status", "times_seen", "source", "model", "host", "user", "address",
    "observables", "incident", "owner", "sla", "sla_due_at", "received_at",
)  # fmt: skip
INCIDENT = (
    "number", "tlp", "title", "restricted", "team", "severity", "status", "determination", "alerts", "tasks_done",
    "tasks", "owners", "sla", "due_at", "updated_at",
)  # fmt: skip


@needs("export")
@require_safe
def alert_export(request: HttpRequest) -> Any:
    """The queue as it is filtered. A filter that cannot be read leads to the page, which says what is wrong."""
    user = person_of(request)
    queue = queue_of(request, user)
    if queue.filter.errors:
        return _back("alert-list", request)
    audit.exported(user, "alerts", "alerts", format="csv", filter=queue.saved_query())
    more = _("Only the first %(n)s alerts of this list are in this file.") % {"n": f"{list_csv.MOST:,}"}
    rows = list_csv.lines(
        ALERT, lambda cursor: queue.rows_behind(cursor, list_csv.BATCH), lambda found: _alerts(user, found), more
    )
    return _file(rows, "alerts.csv")


@needs("export")
@require_safe
def incident_export(request: HttpRequest) -> Any:
    """The list of incidents as it is filtered, with its tab."""
    user = person_of(request)
    rows, tab, chosen = selected(request, user)
    if chosen.errors:
        return _back("incident-list", request)
    order = order_of(request, tab)
    audit.exported(user, "incidents", "incidents", format="csv", filter=chosen.query_string(), tab=tab)

    def page(cursor: str) -> Page[Incident]:
        return keyset_page(rows.with_row_data(), order, cursor, list_csv.BATCH)  # type: ignore[attr-defined]

    more = _("Only the first %(n)s incidents of this list are in this file.") % {"n": f"{list_csv.MOST:,}"}
    return _file(list_csv.lines(INCIDENT, page, lambda found: _incidents(user, found), more), "incidents.csv")


def _alerts(user: User, alerts: list[Alert]) -> Iterator[list_csv.Line]:
    note_rows(user, alerts)
    seen, waits = incidents_seen(user, alerts), waits_of(alerts)
    marks = dict(Alert.objects.filter(pk__in=[one.pk for one in alerts]).values_list("pk", "tlp"))
    for one in alerts:
        wait = waits.get(one.pk)
        yield [
            one.number, marks.get(one.pk, Tlp.RED.value), one.title, Severity(one.severity).word,
            AlertStatus(one.status).word, one.count, one.source.name, one.detection_model,
            one.hostname, one.username, one.source_ip, one.observable_count or 0,
            f"INC-{one.incident_id}" if one.incident_id in seen else "", one.owner.username if one.owner else "",
            wait.state if wait else "", iso(wait.due) if wait else "", iso(one.received_at),
        ]  # fmt: skip


def _incidents(user: User, incidents: list[Incident]) -> Iterator[list_csv.Line]:
    note_rows(user, incidents)
    found = IncidentTask.objects.filter(incident__in=incidents).order_by().values_list("incident")
    tasks = {pk: (done, number) for pk, done, number in found.annotate(done=Count("done_at"), n=Count("pk"))}
    now = timezone.now()
    for one in incidents:
        owners = " ".join(row.user.username for row in one.owner_rows.all())
        yield [
            one.number, one.tlp, one.title, "yes" if one.restricted else "no", one.team.name if one.team else "",
            Severity(one.severity).word, IncidentStatus(one.status).word, Determination(one.determination).word,
            one.alert_count, *tasks.get(one.pk, (0, 0)), owners, state_of(one, now), iso(due_of(one)),
            iso(one.updated_at),
        ]  # fmt: skip


def _back(page: str, request: HttpRequest) -> HttpResponse:
    response = redirect(page)
    response["Location"] += f"?{request.GET.urlencode()}"
    return response


def _file(rows: Iterator[bytes], name: str) -> StreamingHttpResponse:
    headers: dict[str, Any] = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingHttpResponse(_within(copy_context(), rows), content_type="text/csv; charset=utf-8", headers=headers)


def _within(context: Context, rows: Iterator[bytes]) -> Iterator[bytes]:
    """The lines, each made as in the request: what is noted of the reading bears its address and id."""
    while (line := context.run(next, rows, None)) is not None:
        yield line
