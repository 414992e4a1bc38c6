"""The other side of the desk in the browser: the tickets of the practice range's ServiceNow. Only where it runs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from soar.connectors import practice_servicenow as desk
from soar.connectors.views_accounts import user_of
from soar.lib.http import RemoteError
from soar.standins import folder

LARGEST_FILE = 1_000_000
DOWN_SECONDS = 60
INSTANCE = {"down": {"seconds": DOWN_SECONDS}, "up": {}, "hibernate": {}, "wake": {}}
UNREACHABLE = gettext_lazy("The practice range does not answer now. It is started again by itself.")
Verb = Callable[[HttpRequest], dict[str, Any]]


def show_home(request: HttpRequest, tabs: list[tuple[str, str]]) -> HttpResponse:
    """The list of tickets, and what is the matter with the instance."""
    place = _place(request)
    context: dict[str, Any] = {"tabs": tabs, "current": desk.KIND, "may_act": _may_act(request), "shown": desk.SHOWN}
    try:
        state = desk.ask(place, "state", tickets="0")
        rows = desk.ask(place, "tickets", limit=str(desk.SHOWN))
        context |= {"settings": state["settings"], "down": state["down"], "people": desk.ask(place, "people")["users"]}
        context["rows"] = [{**row, "at": desk.changed_at(row["fields"])} for row in rows[: desk.SHOWN]]
    except (RemoteError, KeyError, TypeError):
        context["problem"] = UNREACHABLE
    return render(request, "connectors/practice_servicenow.html", context)


@require_safe
def practice_ticket(request: HttpRequest, table: str, sys_id: str) -> HttpResponse:
    """One ticket with its journal, and forms that change it as somebody of the desk."""
    place = _place(request)
    try:
        people = desk.ask(place, "people")
        ticket = desk.ask(place, "ticket", table=table, sys_id=sys_id)
        context = {
            "ticket": ticket,
            "fields": ticket["fields"],
            "labels": ticket["labels"],
            "at": desk.changed_at(ticket["fields"]),
            "journal": desk.lines_of(ticket),
            "files": desk.files_of(ticket),
            "choices": desk.ask(place, "choices", table=table),
            "users": people["users"],
            "assignable": [{"value": one["sys_id"], "label": one["name"]} for one in people["users"]],
            "groups": [{"value": one["sys_id"], "label": one["name"]} for one in people["groups"]],
        }
    except RemoteError as error:
        if error.status in (400, 404):
            raise Http404 from None
        messages.error(request, UNREACHABLE)
        return redirect(_home())
    except (KeyError, TypeError):
        raise Http404 from None
    return render(request, "connectors/practice_ticket.html", {**context, "may_act": _may_act(request)})


@require_POST
def practice_ticket_do(request: HttpRequest, table: str, sys_id: str, verb: str) -> HttpResponse:
    """Somebody of the desk does something with a ticket."""
    place = _acting(request)
    if verb not in VERBS:
        raise Http404
    named = {"table": table, "sys_id": sys_id, "as": request.POST.get("as", "")}
    done = _tell(request, place, verb, lambda: {**named, **VERBS[verb](request)})
    if verb == "delete" and done is not None:
        return redirect(_home())
    return redirect("practice-ticket", table, sys_id)


@require_POST
def practice_ticket_new(request: HttpRequest) -> HttpResponse:
    """Somebody of the desk opens a ticket."""
    place = _acting(request)
    wish = {
        "table": request.POST.get("table", "incident"),
        "as": request.POST.get("as", ""),
        "set": {"short_description": request.POST.get("short_description", "").strip()},
    }
    made = _tell(request, place, "create", lambda: wish)
    return redirect("practice-ticket", made["table"], made["sys_id"]) if made else redirect(_home())


@require_POST
def practice_instance(request: HttpRequest, verb: str) -> HttpResponse:
    """Down for a minute, back, asleep, awake."""
    place = _acting(request)
    if verb not in INSTANCE:
        raise Http404
    _tell(request, place, verb, lambda: INSTANCE[verb])
    return redirect(_home())


def _change(request: HttpRequest) -> dict[str, Any]:
    values = desk.differing(request.POST.dict())
    if comment := request.POST.get("comments", "").strip():
        values["comments"] = comment
    if not values:
        raise desk.Declined(_("Nothing was changed."))
    return {"set": values}


def _note(request: HttpRequest) -> dict[str, Any]:
    text = request.POST.get("text", "").strip()
    if not text:
        raise desk.Declined(_("Say something first."))
    return {"text": text, "element": request.POST.get("element", "work_notes")}


def _attach(request: HttpRequest) -> dict[str, Any]:
    file = request.FILES.get("file")
    if file is None or file.size is None or not file.name:
        raise desk.Declined(_("Choose a file first."))
    if file.size > LARGEST_FILE:
        raise desk.Declined(_("The file is larger than 1 MB."))
    content = base64.b64encode(file.read()).decode()
    return {"name": file.name, "base64": content, "content_type": file.content_type or "application/octet-stream"}


def _close(request: HttpRequest) -> dict[str, Any]:
    return {"code": request.POST.get("close_code", ""), "notes": request.POST.get("close_notes", "").strip()}


def _plain(request: HttpRequest) -> dict[str, Any]:
    return {}


VERBS: dict[str, Verb] = {
    "change": _change,
    "note": _note,
    "attach": _attach,
    "close": _close,
    "auto-close": _plain,
    "reopen": _plain,
    "delete": _plain,
    "hide": _plain,
    "show": _plain,
}


def _tell(request: HttpRequest, place: dict[str, str], verb: str, wish: Callable[[], dict[str, Any]]) -> Any:
    """The answer; None when it was declined, which the person is told in ServiceNow's words."""
    try:
        return desk.tell(place, verb, wish())
    except desk.Declined as words:
        messages.error(request, str(words))
    except RemoteError:
        messages.error(request, UNREACHABLE)
    return None


def _home() -> str:
    return f"{reverse('practice')}?of={desk.KIND}"


def _place(request: HttpRequest) -> dict[str, str]:
    """Where it is. Raises Http404 when it does not run."""
    if not user_of(request).has_perm("accounts.view_cases"):
        raise PermissionDenied
    running = folder.running()
    if desk.KIND not in running:
        raise Http404
    return running[desk.KIND]


def _acting(request: HttpRequest) -> dict[str, str]:
    if not _may_act(request):
        raise PermissionDenied
    return _place(request)


def _may_act(request: HttpRequest) -> bool:
    """What is done there comes back and changes incidents: who may only look does not play."""
    return user_of(request).has_perm("accounts.work_cases")
