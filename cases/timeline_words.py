"""Entries of the timeline as sentences: who did what, old and new value. Everything from outside is escaped."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.choices import Findings
from cases.models import TimelineEntry
from cases.timeline_access_words import ACCESS_SENTENCES
from cases.timeline_evidence_words import EVIDENCE_SENTENCES
from cases.timeline_import_words import IMPORT_SENTENCES
from cases.timeline_kinds import KINDS
from cases.timeline_merge_words import MERGE_SENTENCES
from cases.timeline_note_words import NOTE_SENTENCES
from cases.timeline_read import LONG_TEXTS
from cases.timeline_response_words import RESPONSE_SENTENCES
from cases.timeline_sla_words import SLA_SENTENCES
from cases.timeline_task_words import TASK_SENTENCES
from cases.timeline_ticket_words import TICKET_SENTENCES
from soar.lib import parts
from soar.lib.text import defang, shorten_hash

Data = dict[str, Any]
LONGEST = 200
FIELDS = {"tlp": "TLP", "pap": "PAP", "source_state": "state at the source", "resolve_reason": "reason"}
RUN_URL = "run-detail"
_LEADS_ON = re.compile(r' <a class="leads-on"[^>]*>[^<]*</a>')  # "Show" at the end of a sentence
# How a run ended, as the end of a sentence.
_ENDED = {
    "successful": gettext_noop("finished successfully"),
    "partially_successful": gettext_noop("finished, but only a part succeeded"),
    "unsuccessful": gettext_noop("finished unsuccessfully"),
    "cancelled": gettext_noop("was cancelled"),
}


def sentence(entry: TimelineEntry) -> SafeString:
    """What happened, as HTML without the actor's name: ``set severity <old> → high``."""
    data = entry.data if isinstance(entry.data, dict) else {}
    if entry.kind.startswith("run."):
        return _run(entry, data)
    made = _SENTENCES.get(entry.kind)
    if made is None:
        return format_html("{}", _label(entry))
    return made(entry, data)


def plain_sentence(entry: TimelineEntry) -> str:
    """What happened as plain text: for mails, reports and tickets, where no link leads on."""
    return " ".join(html.unescape(strip_tags(_LEADS_ON.sub("", sentence(entry)))).split())


def _label(entry: TimelineEntry) -> str:
    """The kind's own words; a kind nobody registered any more is made readable."""
    return _(KINDS[entry.kind].label) if entry.kind in KINDS else entry.kind.replace(".", " ").replace("_", " ")


def _changed(entry: TimelineEntry, data: Data) -> SafeString:
    field = str(data.get("field", ""))
    if field.startswith("cf."):
        return _custom_field(data)
    name = FIELDS.get(field, field.replace("_", " "))
    if field in LONG_TEXTS:
        return format_html("{} {}", _("rewrote the"), name)
    old, new = data.get("old"), data.get("new")
    if field == "findings":
        old, new = _findings(old), _findings(new)
    if isinstance(old, list) and isinstance(new, list) and old and new and (told := _among(old, new)):
        return format_html("{} {}: {}", _("changed"), name, told)
    return format_html("{} {} {}", _("set"), name, _from_to(old, new))


def _among(old: list[Any], new: list[Any]) -> SafeString:
    """What came to a list and what left it: in two long lists nobody finds the one that is new."""
    came, left = ([one for one in these if one not in those] for these, those in ((new, old), (old, new)))
    said: list[str] = [format_html('<span class="was">{}</span>', _shown(left))] if left else []
    said += [format_html("+ {}", _shown(came))] if came else []
    return format_html_join(" ", "{}", ((one,) for one in said))


def _custom_field(data: Data) -> SafeString:
    """As it was written: an installation's own words are not ours to translate."""
    old, new = (
        ", ".join(map(str, one)) if isinstance(one, list) else one for one in (data.get("old"), data.get("new"))
    )
    shown = [_("nothing") if one is None else str(one) for one in (old, new)]
    was, now = (one if len(one) <= LONGEST else f"{one[:LONGEST]}…" for one in shown)
    return format_html('{} {} <span class="was">{}</span> → {}', _("set"), data.get("name", ""), was, now)


def _findings(value: Any) -> str:
    """The page's words for findings: ``false_positive`` is "false positive"."""
    return _(str(Findings(value).label)).lower() if value and value in Findings.values else str(value or "")


def _opened(entry: TimelineEntry, data: Data) -> SafeString:
    """With the rule that held it back at once, if one did."""
    held = data.get("suppression")
    if not isinstance(held, dict):
        return format_html("{}", _label(entry))
    return format_html(_("opened the alert, held back by {}: {}"), _rule(held), _shown(held.get("reason")))


def _suppressed(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("held the alert back by {}: {}"), _rule(data), _shown(data.get("reason")))


def _released(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("put the alert into the queue, held back until now by {}"), _rule(data))


def _rule(held: Data) -> SafeString:
    """The suppression rule by name, with a link to it."""
    url = _url("suppression-detail", held.get("rule"))
    name = _shown(held.get("name"))
    return format_html('<a href="{}">{}</a>', url, name) if url else format_html("{}", name)


def _reopened(entry: TimelineEntry, data: Data) -> SafeString:
    """By a person, or by the source that delivered it once more."""
    words = _("reopened the alert by a repeat") if entry.actor_type == "source" else _label(entry)
    return format_html("{}", words)


def _from_to(old: Any, new: Any) -> SafeString:
    return format_html('<span class="was">{}</span> → {}', _shown(old), _shown(new))


def _shown(value: Any) -> str:
    if value in (None, "", [], False):
        return _("nothing")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = parts.label(text).lower() if text in parts.WORDS else text
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _claimed(entry: TimelineEntry, data: Data) -> SafeString:
    old = data.get("old")
    return format_html(_("claimed it from {}"), old) if old else format_html("{}", _("claimed it"))


def _resolved(entry: TimelineEntry, data: Data) -> SafeString:
    verdict = format_html(_("resolved it as {}"), _shown(data.get("determination")))
    findings = _findings(data.get("findings"))
    return format_html("{} ({})", verdict, findings) if findings else verdict


def _linked(entry: TimelineEntry, data: Data) -> SafeString:
    if data.get("from"):
        words = _("moved it from {} to {}")
        return format_html(words, _number(data["from"]), _number(data.get("incident")))
    return format_html(_("linked it to {}"), _number(data.get("incident")))


def _unlinked(entry: TimelineEntry, data: Data) -> SafeString:
    return format_html(_("took it out of {}"), _number(data.get("incident")))


def _opened_incident(entry: TimelineEntry, data: Data) -> SafeString:
    numbers = [number for number in data.get("alerts") or [] if number]
    if not numbers:
        return format_html("{}", _("opened the incident"))
    return format_html(_("opened the incident from {}"), _numbers(numbers))


def _alert_linked(entry: TimelineEntry, data: Data) -> SafeString:
    moved = format_html(_(", moved from {}"), _number(data["from"])) if data.get("from") else ""
    return format_html("{} {} {}{}", _("linked"), _number(data.get("alert")), _title(data), moved)


def _alert_unlinked(entry: TimelineEntry, data: Data) -> SafeString:
    moved = format_html(_(", moved to {}"), _number(data["to"])) if data.get("to") else ""
    return format_html("{} {} {}{}", _("unlinked"), _number(data.get("alert")), _title(data), moved)


def _title(data: Data) -> str:
    return _shown(data["title"]) if data.get("title") else ""


def _owners(entry: TimelineEntry, data: Data) -> SafeString:
    said = []
    if data.get("added"):
        said.append(format_html(_("added {} to the owners"), _shown(data["added"])))
    if data.get("removed"):
        said.append(format_html(_("took {} off the owners"), _shown(data["removed"])))
    if data.get("left_out"):
        said.append(format_html(_("left {} out of the owners"), _shown(data["left_out"])))
    if "lead" in data:
        said.append(format_html("{} {}", _("set the lead"), _from_to(data.get("old_lead"), data.get("lead"))))
    return format_html_join(", ", "{}", ((one,) for one in said))


def _asset(words: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        return format_html("{} {}", _(words), data.get("name"))

    return made


def _observable(word: str) -> Callable[[TimelineEntry, Data], SafeString]:
    def made(entry: TimelineEntry, data: Data) -> SafeString:
        value = shorten_hash(defang(str(data.get("value", "")), str(data.get("type", ""))))
        return format_html("{} {} <code>{}</code>", _(word), data.get("type", ""), value)

    return made


def _run(entry: TimelineEntry, data: Data) -> SafeString:
    """Playbooks: the actor's name is the playbook's, so it is named again only when somebody else speaks."""
    name = str(data.get("playbook", "")) if entry.actor_type != "playbook" else ""
    status = str(data.get("status") or "")
    ended = _ENDED.get(status) if entry.kind == "run.finished" else None
    words = [_(ended)] if ended else [_label(entry), parts.label(status).lower() if status else ""]
    url = _url(RUN_URL, data.get("run"))
    link = format_html(' <a class="leads-on" href="{}">{}</a>', url, _("Show the run")) if url else ""
    return format_html("{}{}{}{}", name, " " if name else "", " ".join(filter(None, words)), link)


def _numbers(numbers: Iterable[Any]) -> SafeString:
    return format_html_join(", ", "{}", ((_number(number),) for number in list(numbers)[:20]))


def _number(number: Any) -> SafeString:
    """``ALR-7`` and ``INC-7`` as links; None is one that the reader does not see."""
    if number is None:
        return format_html("{}", _("one that you may not see"))
    text = str(number or "")
    page = {"ALR": "alert-detail", "INC": "incident-detail"}.get(text[:3])
    url = _url(page, text) if page else ""
    return format_html('<a href="{}">{}</a>', url, text) if url else format_html("{}", text)


def _url(name: str, *args: Any) -> str:
    try:
        return reverse(name, args=args) if args and args[0] else ""
    except NoReverseMatch:
        return ""


def face(entry: TimelineEntry) -> SafeString:
    """The disc before an entry: initials for people's words, else the kind's sign in its tone."""
    kind = KINDS.get(entry.kind)
    if kind is not None and kind.group == "notes" and kind.name != "comment.edited":
        author = entry.data.get("author") or entry.actor_name
        return parts.face_of(str(author), entry.actor_id or 0, True)
    if entry.actor_type == "servicenow":  # what came from there is told apart from what people did here
        return format_html('<span class="dot t-blue">{}</span>', parts.icon("servicenow"))
    tone = f" {kind.tone}" if kind and kind.tone else ""
    sign = parts.icon(kind.icon if kind else "clock")
    return mark_safe(f'<span class="dot{tone}">{sign}</span>')  # noqa: S308  constants of the registry


_SENTENCES: dict[str, Callable[[TimelineEntry, Data], SafeString]] = {
    "changed": _changed,
    "alert.source_state": _changed,
    "alert.opened": _opened,
    "alert.suppressed": _suppressed,
    "alert.released": _released,
    "alert.claimed": _claimed,
    "alert.reopened": _reopened,
    "alert.resolved": _resolved,
    "alert.linked": _linked,
    "alert.unlinked": _unlinked,
    "incident.opened": _opened_incident,
    "incident.alert_linked": _alert_linked,
    "incident.alert_unlinked": _alert_unlinked,
    "incident.owners": _owners,
    "observable.added": _observable("added"),
    "observable.removed": _observable("removed"),
    "asset.added": _asset("added the asset"),
    "asset.removed": _asset("removed the asset"),
    **TASK_SENTENCES,
    **RESPONSE_SENTENCES,
    **EVIDENCE_SENTENCES,
    **ACCESS_SENTENCES,
    **TICKET_SENTENCES,
    **MERGE_SENTENCES,
    **NOTE_SENTENCES,
    **IMPORT_SENTENCES,
    **SLA_SENTENCES,
}
