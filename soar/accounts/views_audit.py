"""The audit log in the browser, for those who may read it (access.md 7)."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from soar.accounts import audit_export, audit_filter, audit_words
from soar.accounts.membership import may
from soar.accounts.models import AuditEntry, AuditStream
from soar.accounts.pages import needs, person_of
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

LIST, ENTRY = "accounts/audit/list.html", "accounts/audit/entry.html"
NEWEST = Order("-id", ("id",))
COUNTED = 10_000
reads = needs("view_audit")


@reads
@require_safe
def audit_log(request: HttpRequest) -> HttpResponse:
    """The entries that a filter means, newest first."""
    wanted = audit_filter.read(request.GET)
    try:
        page = keyset_page(wanted.rows(), NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(wanted.rows(), NEWEST)
    keep = urlencode(wanted.params)
    context = {
        "params": wanted.params,
        "errors": wanted.errors,
        "query": keep,
        "rows": audit_words.rows(page.rows),
        "groups": _groups(wanted.params),
        "newer_url": f"?{keep}&cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}&cursor={page.next}" if page.next else "",
    }
    if is_partial(request):
        return render_regions(request, LIST, ["rows"], context)
    return render(request, LIST, {**context, **_head(request)})


@reads
@require_safe
def audit_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One whole entry."""
    entry = AuditEntry.objects.filter(pk=pk).first()
    if entry is None:
        raise Http404
    return render(request, ENTRY, {"row": audit_words.rows([entry])[0], "json": audit_export.as_dict(entry)})


@reads
@require_POST
def audit_download(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The entries of the filter as a file, for those who may export. A post: it writes an entry of its own."""
    user = person_of(request)
    if not may(user, "export"):
        from django.core.exceptions import PermissionDenied

        raise PermissionDenied("accounts.export")
    if kind not in audit_export.FORMATS:
        raise Http404
    wanted = audit_filter.read(request.GET)
    answer = StreamingHttpResponse(audit_export.export(user, wanted, kind), content_type=audit_export.FORMATS[kind])
    name = f"audit-{timezone.now():%Y%m%d-%H%M%S}.{kind}"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def _groups(params: dict[str, str]) -> list[dict[str, object]]:
    others = {name: value for name, value in params.items() if name != "group"}
    chosen = params.get("group", "")
    made: list[dict[str, object]] = [
        {"label": label, "url": f"?{urlencode({**others, 'group': name})}", "current": name == chosen}
        for name, (label, _starts) in audit_filter.GROUPS.items()
    ]
    return [{"label": None, "url": f"?{urlencode(others)}", "current": not chosen}, *made]


def _head(request: HttpRequest) -> dict[str, object]:
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    today = AuditEntry.objects.filter(at__gte=start).order_by()[: COUNTED + 1].count()
    return {
        "today": min(today, COUNTED),
        "today_more": today > COUNTED,
        "streams": list(AuditStream.objects.order_by("name")),
        "stream_set": bool(settings.AUDIT_SYSLOG or settings.AUDIT_FILE),
        "may_export": may(person_of(request), "export"),
    }
