"""What is asked of the audit log: the same words for page, export and API (access.md 7)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts.models import AuditEntry, User
from soar.lib.clock import moment_of

# Groups of verbs by their beginnings, as they stand over the list.
GROUPS: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    "sign-in": (
        gettext_lazy("Sign-in"),
        ("login", "logout", "session.", "factor.", "second_factor.", "user.password", "reauth"),
    ),
    "access": (
        gettext_lazy("Access"),
        ("user.", "team.", "role.", "group.", "grant", "access.", "incident.", "view_as.", "permission", "glass"),
    ),
    "secrets": (
        gettext_lazy("Secrets"),
        (
            "token.",
            "connector.secrets",
            "source.token",
            "webhook.rotated",
            "servicenow.secret",
            "feed_token.",
            "response.secret",
            "response.file",
        ),
    ),
    "playbooks": (gettext_lazy("Playbooks"), ("playbook.", "script.", "detection_model.", "never_touch.")),
    "response": (gettext_lazy("Response"), ("response.", "approval.", "blocklist.")),
    "exports": (gettext_lazy("Exports"), ("export.", "audit.exported", "evidence.")),
    "settings": (
        gettext_lazy("Settings"),
        (
            "source.",
            "connector.",
            "route.",
            "servicenow.",
            "suppression.",
            "webhook.",
            "template.",
            "setting",
            "retention.",
            "sla.",
            "warning_list.",
            "exception.",
            "own_list.",
            "asset.",
            "feed.",
        ),
    ),
}
SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
PARAMS = ("q", "who", "verb", "object", "group", "outcome", "span", "since", "until", "request")
TEXT_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """``params`` are the words given, without empty ones; ``errors`` sentences by the parameter that is wrong."""

    params: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def rows(self) -> QuerySet[AuditEntry]:
        """The entries that are meant; none of what is wrong counts."""
        rows = AuditEntry.objects.all()
        for name, value in self.params.items():
            if name not in self.errors:
                rows = rows.filter(_CONDITIONS[name](value))
        return rows


def read(given: Mapping[str, str]) -> AuditFilter:
    """The filter of a query string. Raises nothing: ``errors`` says what is wrong."""
    params = {name: given.get(name, "").replace("\x00", "").strip()[:TEXT_AT_MOST] for name in PARAMS}
    params = {name: value for name, value in params.items() if value}
    return AuditFilter(params, dict(_errors(params)))


def _errors(params: dict[str, str]) -> list[tuple[str, str]]:
    wrong: list[tuple[str, str]] = []
    for name in ("since", "until"):
        if name in params and _moment(params[name]) is None:
            wrong.append((name, _("A time like 2026-03-12 or 2026-03-12T09:41:00Z.")))
    for name, known in (("group", GROUPS), ("span", SPANS), ("outcome", OUTCOMES)):
        if name in params and params[name] not in known:
            wrong.append((name, _("One of: %s.") % ", ".join(known)))
    return wrong


def _moment(text: str) -> datetime | None:
    return moment_of(text) or moment_of(f"{text}T00:00:00")


def _q(text: str) -> Q:
    """Each word is in the object, or is the beginning of the verb, or in the actor's name."""
    found = Q()
    for word in text.split()[:10]:
        found &= Q(target__icontains=word) | Q(verb__startswith=word.lower()) | Q(actor_name__icontains=word)
    return found


def _who(text: str) -> Q:
    """An id, ``soar`` for the system, or a name."""
    if text.isascii() and text.isdecimal() and len(text) < 18:
        return Q(actor_id=int(text))
    if text.lower() == "soar":
        return Q(actor_id=None)
    ids = User.objects.filter(username__iexact=text).values_list("pk", flat=True)
    return Q(actor_id__in=list(ids)) | Q(actor_name__iexact=text)


def _group(name: str) -> Q:
    found = Q()
    for start in GROUPS[name][1]:
        found |= Q(verb__startswith=start)
    return found


REFUSED = Q(verb__endswith=".failed") | Q(verb__endswith=".refused") | Q(verb="feed.import_failed")
OUTCOMES = {"done": ~REFUSED, "refused": REFUSED}
_CONDITIONS: dict[str, Callable[[str], Q]] = {
    "q": _q,
    "who": _who,
    "verb": lambda text: Q(verb=text) | Q(verb__startswith=f"{text.removesuffix('.')}."),
    "object": lambda text: Q(target__icontains=text),
    "group": _group,
    "outcome": lambda text: OUTCOMES[text],
    "span": lambda text: Q(at__gte=timezone.now() - SPANS[text]),
    "since": lambda text: Q(at__gte=_moment(text)),
    "until": lambda text: Q(at__lte=_moment(text)),
    "request": lambda text: Q(request=text),
}
