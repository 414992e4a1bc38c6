"""What people read of the ServiceNow sync: its fields, what is to be sent, where a ticket is."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import TicketChange, TicketLink

FIELDS: dict[str, str | Promise] = {
    "title": gettext_lazy("Title"),
    "severity": gettext_lazy("Severity"),
    "status": gettext_lazy("Status"),
    "determination": gettext_lazy("Determination"),
    "owner": gettext_lazy("Assigned to"),
    "team": gettext_lazy("Team"),
    "notes": gettext_lazy("Notes"),
    "evidence": gettext_lazy("Evidence"),
}
LONGEST = 80


def field_label(name: str) -> str:
    """The name of a synced field for people."""
    return str(FIELDS.get(name) or name.replace("_", " ").capitalize())


def change_words(change: TicketChange) -> str:
    """What a row of the outbox is to do, as an imperative: "add work note", "set state 6"."""
    if change.kind == "create":
        return _("create the ticket")
    if change.kind == "note":
        return _("add a note for the caller") if change.detail.get("field") == "comments" else _("add a work note")
    if change.kind == "attachment":
        name = change.evidence.name if change.evidence_id and change.evidence else ""
        return _("attach %s") % name[:LONGEST] if name else _("attach a file")
    return _fields_words(change.detail)


def _fields_words(detail: dict[str, Any]) -> str:
    fields = detail.get("fields") or []
    if not isinstance(fields, list | dict) or not fields:
        return _("bring its fields into agreement")
    values = detail.get("sent") if isinstance(detail.get("sent"), dict) else {}
    state = str((values or {}).get("state") or "")
    names = [field_label(str(name)).lower() for name in fields]
    told = _("set %s") % ", ".join(names)
    return _("%(told)s (state %(state)s)") % {"told": told, "state": state[:LONGEST]} if state else told


def ticket_url(link: TicketLink) -> str:
    """Where a browser opens the ticket in ServiceNow; "" while there is none."""
    base = str(link.instance.account.settings.get("url", "")).rstrip("/")
    if not link.sys_id or urlsplit(base).scheme not in ("http", "https"):
        return ""
    return f"{base}/nav_to.do?uri={quote(f'{link.table}.do?sys_id={link.sys_id}', safe='')}"


def host_of(url: object) -> str:
    """The host of an instance's address, which is how people call it; the address itself where it has none."""
    return urlsplit(str(url)).hostname or str(url)
