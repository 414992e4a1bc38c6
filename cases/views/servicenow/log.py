"""The log: what was asked of ServiceNow and what it answered, call by call, without secrets.

For who manages the connector: the calls bear what incidents say, whoever may see these."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cases.models import ServiceNowInstance
from cases.ticket_words import host_of
from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow.tabs import tabs
from soar.connectors import showing
from soar.connectors.models import Attempt
from soar.connectors.selectors import managed_by
from soar.lib.keyset import BadCursor, Order, keyset_page

TEMPLATE = "servicenow/log.html"
NEWEST = Order("newest", ("started_at", "id"))
SIZE = 30
SHOWS = {
    "": gettext_lazy("All calls"),
    "failed": gettext_lazy("Failed"),
    "writes": gettext_lazy("Writing"),
}
FAILED = ("unsuccessful", "unknown_outcome")
WRITES = ("POST", "PATCH", "PUT", "DELETE")
TABLE = re.compile(r"/table/([a-z0-9_]+)(?:/([0-9a-f]{32}))?")


@dataclass(frozen=True, slots=True)
class Call:
    """A call for the page: what it did in words, and both sides of it."""

    attempt: Attempt
    host: str
    words: str
    milliseconds: int | None
    request: str
    answer: str


@signed_in_reader
@require_safe
def call_list(request: HttpRequest) -> HttpResponse:
    """The newest calls; ``show`` picks the failed or the writing ones, ``instance`` one instance."""
    user = person_of(request)
    rows = ServiceNowInstance.objects.filter(account__in=managed_by(user)).select_related("account")
    instances = {one.account_id: one for one in rows.order_by("slug")}
    if not instances and not user.has_perm("accounts.manage_connectors"):
        raise PermissionDenied
    chosen = {"show": request.GET.get("show", ""), "instance": request.GET.get("instance", "")}
    calls = _filtered(Attempt.objects.filter(account__in=list(instances)), chosen, instances)
    try:
        page = keyset_page(calls, NEWEST, request.GET.get("cursor", ""), SIZE)
    except BadCursor:
        page = keyset_page(calls, NEWEST, "", SIZE)
    query = urlencode({name: value for name, value in chosen.items() if value})
    context = {
        "calls": [_call(one, instances) for one in page.rows],
        "chosen": chosen,
        "shows": [(word, label, _url({**chosen, "show": word})) for word, label in SHOWS.items()],
        "instances": [(one.slug, host_of(one.account.settings.get("url"))) for one in instances.values()],
        "newer_url": _url(chosen, page.previous),
        "older_url": _url(chosen, page.next),
        "query": query,
    }
    return render(request, TEMPLATE, {**tabs(user, "log"), **context})


def _filtered(
    calls: QuerySet[Attempt], chosen: dict[str, str], instances: dict[int, ServiceNowInstance]
) -> QuerySet[Attempt]:
    if chosen["show"] == "failed":
        calls = calls.filter(status__in=FAILED)
    elif chosen["show"] == "writes":
        calls = calls.filter(request__method__in=WRITES)
    if chosen["instance"]:
        calls = calls.filter(account__in=[pk for pk, one in instances.items() if one.slug == chosen["instance"]])
    return calls


def _call(attempt: Attempt, instances: dict[int, ServiceNowInstance]) -> Call:
    shown = showing.attempt_row(attempt)
    host = host_of(instances[attempt.account_id].account.settings.get("url"))
    return Call(attempt, host, words_of(attempt), shown["milliseconds"], shown["request"], shown["answer"])


def words_of(attempt: Attempt) -> str:
    """What a call did, as a sentence: "changed incident 46e1…", "read incident"."""
    asked: dict[str, Any] = attempt.request if isinstance(attempt.request, dict) else {}
    method = str(asked.get("method", "GET"))
    place = TABLE.search(str(asked.get("url") or asked.get("path") or ""))
    if place is None:
        return attempt.operation.replace("_", " ").replace(".", " ")
    table, row = place[1], (place[2] or "")[:8]
    if method == "POST":
        return _("made a row in %s") % table
    if method in ("PATCH", "PUT"):
        return _("changed %(table)s %(row)s…") % {"table": table, "row": row}
    return _("read %(table)s %(row)s…") % {"table": table, "row": row} if row else _("read %s") % table


def _url(chosen: dict[str, str], cursor: str | None = None) -> str:
    if cursor == "":
        return ""
    query = {name: value for name, value in {**chosen, "cursor": cursor or ""}.items() if value}
    return f"{reverse('servicenow-log')}{'?' if query else ''}{urlencode(query)}"
