"""The log: what was asked of ServiceNow and what it answered, call by call, without secrets.

For who manages the connector. The calls bear what incidents say: of those that the person does not see only what was
called, when, and how it ended is told (cases.calls_hidden)."""

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

from cases.actions.servicenow_access import links_seen
from cases.models import ServiceNowInstance, TicketLink
from cases.ticket_words import host_of
from cases.views.parts import person_of, signed_in_reader
from cases.views.servicenow.tabs import tabs
from soar.accounts.models import User
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
OPERATIONS = {
    "record.read": gettext_lazy("read %s"),
    "record.find": gettext_lazy("looked for the ticket of an incident in %s"),
    "records.read": gettext_lazy("read tickets in %s"),
    "records.count": gettext_lazy("counted tickets in %s"),
    "records.changed": gettext_lazy("looked for changes in %s"),
    "record.create": gettext_lazy("created a ticket in %s"),
    "record.update": gettext_lazy("changed %s"),
    "journal.read": gettext_lazy("read the notes"),
    "journal.shown": gettext_lazy("read the notes as they are shown"),
    "journal.test": gettext_lazy("tested whether notes can be read"),
    "audit.read": gettext_lazy("read who changed what"),
    "audit.test": gettext_lazy("tested whether the history can be read"),
    "zone.read": gettext_lazy("measured the time zone of the integration user"),
    "choices.read": gettext_lazy("read the choices of the fields"),
    "roles.read": gettext_lazy("read the roles of the integration user"),
    "table.read": gettext_lazy("tested whether %s can be read"),
    "sys_user.find": gettext_lazy("searched a user"),
    "sys_user_group.find": gettext_lazy("searched a group"),
    "attachments.read": gettext_lazy("listed attachments"),
    "attachments.new": gettext_lazy("looked for new attachments"),
    "attachment.fetch": gettext_lazy("fetched an attachment"),
    "attachment.send": gettext_lazy("attached a file"),
    "oauth.token": gettext_lazy("asked for an access token"),
}
NOTES = {"work_notes": gettext_lazy("wrote a work note to %s"), "comments": gettext_lazy("wrote a comment to %s")}
FIELDS_SHOWN = 4
WRITES = ("POST", "PATCH", "PUT", "DELETE")
TABLE = re.compile(r"/table/([a-z0-9_]+)(?:/([0-9a-f]{32}))?")


@dataclass(frozen=True, slots=True)
class Call:
    """A call for the page: what it did in words, and both sides of it."""

    attempt: Attempt
    host: str
    words: str
    ticket: TicketLink | None
    milliseconds: int | None
    hidden: bool
    error: str
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
    named, shown = _tickets(user, page.rows), showing.attempt_rows(user, page.rows)
    context = {
        "calls": [_call(row, instances, named.get(sys_id_of(row["attempt"]))) for row in shown],
        "picked": chosen,
        "shows": [(word, label, _url({**chosen, "show": word})) for word, label in SHOWS.items()],
        "instances": [(one.slug, host_of(one.account.settings.get("url"))) for one in instances.values()],
        "newer_url": _url(chosen, page.previous),
        "older_url": _url(chosen, page.next),
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


def _call(row: dict[str, Any], instances: dict[int, ServiceNowInstance], ticket: TicketLink | None) -> Call:
    attempt = row["attempt"]
    host = host_of(instances[attempt.account_id].account.settings.get("url"))
    told = {name: row[name] for name in ("milliseconds", "hidden", "error", "request", "answer")}
    return Call(attempt, host, words_of(attempt, ticket.number if ticket else ""), ticket, **told)


def words_of(attempt: Attempt, ticket: str = "") -> str:
    """What a call did, as a sentence: "changed INC0010219", "looked for changes"."""
    asked: dict[str, Any] = attempt.request if isinstance(attempt.request, dict) else {}
    place = TABLE.search(str(asked.get("url") or asked.get("path") or ""))
    table = place[1] if place else ""
    words = OPERATIONS.get(attempt.operation)
    if words is None:
        return attempt.operation.replace("_", " ").replace(".", " ")
    named = ticket or table or _("a record")
    body = asked.get("body")
    if attempt.operation == "record.update" and isinstance(body, dict) and body:
        return _written(list(body), named)
    return str(words) % named if "%s" in str(words) else str(words)


def _written(fields: list[str], named: str) -> str:
    """Which fields were written: "set state, close_code of INC0010219"."""
    if len(fields) == 1 and fields[0] in NOTES:
        return str(NOTES[fields[0]]) % named
    some = ", ".join(fields[:FIELDS_SHOWN]) + (" …" if len(fields) > FIELDS_SHOWN else "")
    return _("set %(fields)s of %(ticket)s") % {"fields": some, "ticket": named}


def _tickets(user: User, calls: list[Attempt]) -> dict[str, TicketLink]:
    """By sys_id, the tickets that these calls name, of incidents that the person sees."""
    named = {one.pk: sys_id_of(one) for one in calls}
    rows = links_seen(user).filter(sys_id__in={value for value in named.values() if value}).order_by("pk")
    return {one.sys_id: one for one in rows.only("sys_id", "number", "incident")}


def sys_id_of(attempt: Attempt) -> str:
    """The row that a call was about, "" for a list."""
    asked = attempt.request if isinstance(attempt.request, dict) else {}
    place = TABLE.search(str(asked.get("url") or asked.get("path") or ""))
    return (place[2] or "") if place else ""


def _url(chosen: dict[str, str], cursor: str | None = None) -> str:
    if cursor == "":
        return ""
    query = {name: value for name, value in {**chosen, "cursor": cursor or ""}.items() if value}
    return f"{reverse('servicenow-log')}{'?' if query else ''}{urlencode(query)}"
