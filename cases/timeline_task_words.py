"""Entries of tasks and templates as sentences. Everything from outside is escaped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cases.models import TimelineEntry
from soar.lib import parts

Data = dict[str, Any]
LONGEST = 300


def _named(data: Data) -> SafeString:
    return format_html("<b>{}</b>", str(data.get("task", ""))[:LONGEST])


def _only(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        return format_html("{} {}", _(words), _named(data))

    return made


def _added(entry: TimelineEntry, data: Data) -> SafeString:
    more = []
    if data.get("assignee"):
        more.append(format_html(_("for {}"), data["assignee"]))
    if data.get("due_at"):
        more.append(format_html(_("due {}"), _moment(data["due_at"])))
    if data.get("required"):
        more.append(format_html("{}", _("required")))
    about = format_html(' <span class="small">{}</span>', format_html_join(", ", "{}", ((one,) for one in more)))
    return format_html("{} {}{}", _("added the task"), _named(data), about if more else "")


def _changed(entry: TimelineEntry, data: Data) -> SafeString:
    field, old, new = data.get("field"), data.get("old"), data.get("new")
    if field == "title":
        return format_html(_("renamed the task {} to {}"), _was(old), format_html("<b>{}</b>", str(new)[:LONGEST]))
    if field == "required":
        words = _("made {} required") if new else _("made {} optional")
        return format_html(words, _named(data))
    if field == "due_at":
        return format_html("{} {} {}", _("set the due time of"), _named(data), _from_to(_moment(old), _moment(new)))
    return format_html(_("rewrote the description of {}"), _named(data))


def _assigned(entry: TimelineEntry, data: Data) -> SafeString:
    old, new = data.get("old"), data.get("new")
    if new and not old:
        return format_html(_("assigned {} to {}"), _named(data), new)
    return format_html("{} {} {}", _("assigned"), _named(data), _from_to(old or _("nobody"), new or _("nobody")))


def _template(entry: TimelineEntry, data: Data) -> SafeString:
    tasks, tags = int(data.get("tasks") or 0), len(data.get("tags") or [])
    counts = [ngettext("%(n)s task", "%(n)s tasks", tasks) % {"n": tasks}]
    if tags:
        counts.append(ngettext("%(n)s tag", "%(n)s tags", tags) % {"n": tags})
    name = str(data.get("template", ""))[:LONGEST]
    return format_html("{} <b>{}</b>: {}", _("used the template"), name, ", ".join(counts))


def _moment(value: Any) -> SafeString | str:
    moment = parse_datetime(str(value)) if value else None
    return parts.clock(moment, True) if moment else _("nothing")


def _was(value: Any) -> SafeString:
    return format_html('<span class="was">{}</span>', value if isinstance(value, SafeString) else str(value)[:LONGEST])


def _from_to(old: Any, new: Any) -> SafeString:
    return format_html("{} → {}", _was(old), new)


TASK_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "task.added": _added,
    "task.changed": _changed,
    "task.assigned": _assigned,
    "task.completed": _only("completed"),
    "task.reopened": _only("reopened the task"),
    "task.moved": _only("moved the task"),
    "task.removed": _only("removed the task"),
    "incident.template": _template,
}
