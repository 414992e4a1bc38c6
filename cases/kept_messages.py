"""The mail messages that are kept with an alert, as they are told: facts beside the bytes, which stay in their row."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from cases.errors import Missing
from cases.ingest.mail.document import FORMAT
from cases.ingest.registry import kind_of
from cases.models import Alert, AlertMessage, AlertPayload

FILES_SHOWN = 100
SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Kept:
    """``told``: the message as JSON (cases.ingest.mail.document); {} for one between the first and the latest, of which
    only the bytes are kept."""

    pk: int
    size: int
    sha256: str
    received_at: datetime
    told: dict[str, Any]

    @property
    def subject(self) -> str:
        """That of the message that is reported."""
        return _text(self.told.get("subject"))

    @property
    def sender(self) -> str:
        """Its From: name and address, as it claims."""
        return _person(self.told.get("from"))

    @property
    def reporter(self) -> str:
        """Who reported it, "" for a message that reports no other."""
        report = self.told.get("report")
        return _person(report.get("by")) if isinstance(report, dict) else ""

    @property
    def attachments(self) -> list[dict[str, Any]]:
        """``name``, ``type``, ``size`` (bytes), ``sha256`` of each file in it; pictures that stand in its text too."""
        files = self.told.get("attachments")
        named = [one for one in files if isinstance(one, dict)] if isinstance(files, list) else []
        return [{key: one.get(key) for key in ("name", "type", "size", "sha256")} for one in named[:FILES_SHOWN]]


def kept_of(alert: Alert) -> list[Kept]:
    """The messages of an alert, in the order in which they came. None, and no query, where its source sends none."""
    if not kind_of(alert.source.kind).mail:
        return []
    rows = list(AlertMessage.objects.filter(alert=alert).defer("content"))
    told = _told(alert) if rows else {}
    return [Kept(row.pk, row.size, row.sha256, row.received_at, told.get(row.sha256, {})) for row in rows]


def message_of(alert: Alert, sha256: str = "") -> AlertMessage:
    """The message with this hash, without one the first; without its content. Raises Missing."""
    rows = AlertMessage.objects.filter(alert=alert).defer("content")
    rows = rows.filter(sha256=sha256.lower()) if SHA256.fullmatch(sha256) else rows.none() if sha256 else rows
    found = rows.first()
    if found is None:
        raise Missing(
            _("%(number)s has no such message.") % {"number": alert.number}
            if sha256
            else _("%(number)s has no message.") % {"number": alert.number}
        )
    return found


def name_of(alert: Alert, message: AlertMessage) -> str:
    """The name under which a message is handed out."""
    return f"{alert.number}-{message.sha256[:8]}.eml"


def _told(alert: Alert) -> dict[str, dict[str, Any]]:
    """What the payloads tell, by the hash of the message that they were made of."""
    bodies = AlertPayload.objects.filter(alert=alert).values_list("body", "latest_body").first() or ()
    found = {}
    for body in filter(None, bodies):
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict) and told.get("format") == FORMAT:
            found[str(told.get("sha256"))] = told
    return found


def _person(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    name, address = _text(value.get("name")), _text(value.get("address"))
    return f"{name} <{address}>" if name and address else name or address


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
