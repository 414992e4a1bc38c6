"""Entries of approvals and response tasks as sentences. Everything from outside is escaped.

``data`` of approval.*: ``{"approval": id, "title", "tasks": [{"id", "label", "value", "type"}], "count": all of them,
"reason": why it is asked though the node does not}`` (the title begins with the name of the playbook); of response.*:
``{"tasks", "count"}``, or of a single one ``{"task": id, "action": its label, "target", "target_kind", "status"}``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import TimelineEntry
from soar.lib import parts
from soar.lib.text import defang, shorten_hash
from soar.nav import address

Data = dict[str, Any]
LONGEST = 300
NAMED = 6
NOTHING = mark_safe("")


def _approval(words: Callable[[Data], str]) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        title = str(data.get("title") or "").removeprefix(f"{entry.actor_name}: ")[:LONGEST]
        more = format_html(": {}", _named(data)) if data.get("tasks") else NOTHING
        return format_html("{} <b>{}</b>{}{}", words(data), title, more, _link("approval-detail", data.get("approval")))

    return made


def _counted(one: str, many: str) -> Callable[[Data], str]:
    def words(data: Data) -> str:
        number = _number(data.get("count"))
        return ngettext(one, many, number) % {"n": number} if number else _("answered")

    return words


def _requested(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html("{} {}", _("asked for"), _tasks(data))


def _finished(entry: TimelineEntry, data: Data) -> SafeString:
    status = str(data.get("status") or "")
    tasks = _listed(data)
    link = _link("response-detail", tasks[0].get("id")) if len(tasks) == 1 else NOTHING
    return format_html("{}: {}{}", _named(data), parts.label(status).lower(), link)


def _decided(entry: TimelineEntry, data: Data) -> SafeString:
    words = {"done": _("said that it happened:"), "not_done": _("said that it did not happen:")}
    return format_html("{} {}", words.get(str(data.get("outcome")), _("had it done again:")), _tasks(data))


def _tasks(data: Data) -> SafeString:
    """The tasks named, with the way to the page of the only one."""
    tasks = _listed(data)
    only = tasks[0].get("id") if len(tasks) == 1 else None
    return format_html("{}{}", _named(data), _link("response-detail", only))


def _named(data: Data) -> SafeString:
    tasks = _listed(data)
    shown = format_html_join(
        ", ", "{} <code>{}</code>", ((str(one.get("label", "")), _value(one)) for one in tasks[:NAMED])
    )
    rest = max(_number(data.get("count")), len(tasks)) - min(len(tasks), NAMED)
    return format_html("{} {}", shown, _("and %d more") % rest) if rest > 0 else shown


def _listed(data: Data) -> list[Data]:
    """The tasks of an entry; that of one task names it by itself."""
    if data.get("task"):
        about = {"label": data.get("action", ""), "value": data.get("target", ""), "type": data.get("target_kind", "")}
        return [{"id": data["task"], **about}]
    tasks = data.get("tasks")
    return [one for one in tasks if isinstance(one, dict)] if isinstance(tasks, list) else []


def _value(one: Data) -> str:
    return shorten_hash(defang(str(one.get("value", "")), str(one.get("type", ""))))[:LONGEST]


def _link(name: str, pk: Any) -> SafeString:
    try:
        url = address(name, int(pk)) if pk else ""
    except (NoReverseMatch, TypeError, ValueError):
        url = ""
    return format_html(' <a class="leads-on" href="{}">{}</a>', url, _("Show")) if url else NOTHING


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


RESPONSE_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "approval.requested": _approval(lambda data: _("asks for an approval:")),
    "approval.approved": _approval(_counted("approved %(n)d task of", "approved %(n)d tasks of")),
    "approval.rejected": _approval(_counted("rejected %(n)d task of", "rejected %(n)d tasks of")),
    "approval.expired": _approval(lambda data: _("the approval expired:")),
    "response.requested": _requested,
    "response.finished": _finished,
    "response.decided": _decided,
}
