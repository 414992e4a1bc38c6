"""The inbox: what concerns the person, the newest first, with what is still unread (casework.md 19)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from cases.actions import notifications as actions
from cases.models import Notification
from cases.notifications import inbox, wording
from cases.notifications.inbox import NEWEST
from cases.notifications.reasons import REASONS
from cases.views import inbox_parts as shown
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.keyset import BadCursor, keyset_page

TEMPLATE = "inbox/inbox.html"
SIZE = 30


@signed_in_reader
@require_safe
def inbox_page(request: HttpRequest) -> HttpResponse:
    """A page of the inbox; ``show=all`` with what was read, ``reason`` of one sort alone."""
    user = person_of(request)
    show, reason = _chosen(request)
    rows = selected(user, show, reason)
    try:
        page = keyset_page(rows, NEWEST, request.GET.get("cursor", ""), SIZE)
    except BadCursor:
        page = keyset_page(rows, NEWEST, size=SIZE)
    newest = rows.order_by("-id").values_list("pk", flat=True).first() or 0
    context = {
        "show": show,
        "reason": reason,
        "tabs": [(name, label, _address(name, reason), name == show) for name, label in _tabs()],
        "reasons": [(one.name, one.label, one.name == reason) for one in REASONS.values()],
        "days": shown.days(wording.read(user, page.rows)),
        "newer_url": _address(show, reason, page.previous),
        "older_url": _address(show, reason, page.next),
        "is_first": not request.GET.get("cursor"),
        "newest": newest,
        "query": _query(show, reason),
        "troubles": shown.troubles(user),
    }
    return render(request, TEMPLATE, context)


@signed_in_reader
@require_safe
def inbox_new(request: HttpRequest) -> HttpResponse:
    """How many lines have come since the page was loaded; 204 while there are none."""
    user = person_of(request)
    show, reason = _chosen(request)
    after = request.GET.get("after", "")
    if not (after.isascii() and after.isdecimal()) or len(after) > 18:
        return HttpResponse(status=204)
    rows = selected(user, show, reason).filter(pk__gt=int(after))
    number = len(rows.order_by().values_list("pk", flat=True)[: inbox.COUNTED])
    if not number:
        return HttpResponse(status=204)
    context = {"news": number, "newest": after, "query": _query(show, reason), "list_url": _address(show, reason)}
    return render_regions(request, TEMPLATE, ["new"], context)


@signed_in_reader
@require_safe
def notification_open(request: HttpRequest, pk: int) -> HttpResponse:
    """To what a line is about; it is read by that."""
    user = person_of(request)
    row = _found(user, pk)
    if row.read_at is None and user.viewer is None:  # whoever looks as somebody else reads nothing for them
        actions.mark(user, [row.pk], read=True)
    return redirect(wording.lines(user, [row])[0].url)


@signed_in_reader
@require_POST
def notification_mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark a line as read, or as unread; the line anew, or back to the list."""
    user = person_of(request)
    actions.notification_for(user, pk)
    read = request.POST.get("do") != "unread"
    actions.mark(user, [pk], read=read)
    said = _("Marked as read") if read else _("Marked as unread")
    if not is_partial(request):
        messages.success(request, said)
        return redirect(_back(request))
    (line,) = wording.read(user, [actions.notification_for(user, pk)])
    return render_regions(request, TEMPLATE, ["line"], {"line": line}, extra=[live(said)])


@signed_in_reader
@require_POST
def inbox_read(request: HttpRequest) -> HttpResponse:
    """Mark all as read, as far as the person has seen them: ``up_to`` is the newest that the page showed."""
    given = request.POST.get("up_to", "")
    up_to = int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
    number = actions.mark_all(person_of(request), up_to=up_to)
    said = ngettext("%d notification marked as read", "%d notifications marked as read", number) % number
    messages.success(request, said)
    return redirect(_back(request))


def selected(user: User, show: str, reason: str) -> QuerySet[Notification]:
    """The lines that the filter means."""
    rows = inbox.listed(user) if show == "all" else inbox.unread(user)
    return rows.filter(reason=reason) if reason else rows


def _found(user: User, pk: int) -> Notification:
    """A line of the person's, listed or only sent: mails lead here too. Raises Missing."""
    row = inbox.visible(user).filter(pk=pk).first() if pk < 2**63 else None
    return row if row is not None else actions.notification_for(user, pk)


def _chosen(request: HttpRequest) -> tuple[str, str]:
    reason = request.GET.get("reason", "")
    show = "all" if request.GET.get("show") == "all" else "unread"
    return show, reason if reason in REASONS else ""


def _tabs() -> list[tuple[str, str]]:
    return [("unread", _("Unread")), ("all", _("All"))]


def _query(show: str, reason: str) -> str:
    pairs: dict[str, Any] = {"show": show if show == "all" else "", "reason": reason}
    return urlencode({name: value for name, value in pairs.items() if value})


def _address(show: str, reason: str, cursor: str | None = None) -> str:
    """The list with this filter; "" for an empty cursor."""
    if cursor == "":
        return ""
    more = f"cursor={cursor}" if cursor else ""
    query = "&".join(part for part in (_query(show, reason), more) if part)
    return reverse("inbox") + (f"?{query}" if query else "")


def _back(request: HttpRequest) -> str:
    """The list as it was filtered."""
    reason = request.POST.get("reason", "")
    return _address("all" if request.POST.get("show") == "all" else "unread", reason if reason in REASONS else "")
