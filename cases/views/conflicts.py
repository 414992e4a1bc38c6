"""Stale forms: what a form was made from, and both versions in words when somebody else saved first (casework.md 5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.seen import Seen, sent
from cases.choices import Findings
from cases.errors import Stale
from cases.models import Alert, Incident, TimelineEntry
from cases.timeline_kinds import KINDS
from soar.accounts.models import User
from soar.lib import parts

NAMES = {
    "status": gettext_lazy("Status"),
    "severity": gettext_lazy("Severity"),
    "determination": gettext_lazy("Determination"),
    "findings": gettext_lazy("Findings"),
    "owner": gettext_lazy("Owner"),
    "team": gettext_lazy("Team"),
    "title": gettext_lazy("Title"),
    "summary": gettext_lazy("Summary"),
    "tags": gettext_lazy("Tags"),
    "techniques": gettext_lazy("Techniques"),
    "tlp": "TLP",
    "pap": "PAP",
}
WORDS = ("status", "severity", "determination")
CHANGES = [kind.name for kind in KINDS.values() if kind.group == "changes"]


def seen_by(request: HttpRequest, *fields: str, strict: bool = False) -> Seen | None:
    """What the posted form was made from and wants of these fields; None for a form that does not say it."""
    text = request.POST.get("seen")
    if text is None:
        return None
    return Seen.read(text, {name: request.POST[name] for name in fields if name in request.POST}, strict=strict)


def changed_by(request: HttpRequest, *fields: str) -> dict[str, str]:
    """The values of those fields that the form changes: what it leaves as it was shown is not written, so that nobody
    else's change is taken back. All that were sent, for a form that does not say what it showed."""
    given = {name: request.POST[name] for name in fields if name in request.POST}
    seen = seen_by(request, *fields)
    return given if seen is None else {name: value for name, value in given.items() if name in seen.changed}


def conflict(error: Stale, subject: Alert | Incident, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Both versions of each field in conflict, as ``(name, wanted, now)`` in the page's words, and the last change."""
    fields = [
        name
        for name in error.extra.get("fields") or []
        if name != "findings" or typed.get("determination") == "benign"  # asked for benign alone
    ]
    rows = [(NAMES[name], typed[name], sent(subject, name), name) for name in fields if name in typed and name in NAMES]
    kept = {"alert": subject} if isinstance(subject, Alert) else {"incident": subject}
    return {
        "versions": [
            (label, in_words(name, wanted), in_words(name, now)) for label, wanted, now, name in rows if wanted != now
        ],
        "last": TimelineEntry.objects.filter(**kept, kind__in=CHANGES).order_by("-pk").first(),
    }


def in_words(name: str, value: str) -> str:
    """A value of a form as the page says it."""
    if name in WORDS:
        return parts.label(value)
    if name == "findings" and value in Findings.values:
        return _(str(Findings(value).label))
    if name == "owner" and value:
        user = User.objects.filter(username=value[:150].replace("\x00", "")).first()
        return user.display_name() if user else value
    return value.upper() if name in ("tlp", "pap") else value or _("nothing")
