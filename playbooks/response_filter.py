"""The filter of response tasks: query string to queryset and chips (spec 17a). Page and API share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.errors import Missing
from cases.permissions import parse_number
from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS
from playbooks.models import ResponseTask
from playbooks.response_words import label_of
from playbooks.runs_filter import PERIODS, period_label
from soar.accounts.models import User
from soar.connectors.capabilities import CAPABILITIES

FIELDS = ("status", "action", "q", "by", "time", "run", "alert", "incident", "origin")
ACTIONS_KNOWN = tuple(dict.fromkeys([*ACTIONS, *CAPABILITIES]))


@dataclass(slots=True)
class ResponseFilter:
    """What was asked for, by name; what cannot be understood is in ``errors`` and narrows nothing."""

    chosen: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, query: Any) -> ResponseFilter:
        """From a QueryDict with the names of FIELDS."""
        made = cls()
        made._statuses(query.get("status", ""))
        made._word(query, "action", {name: label_of(name) for name in ACTIONS_KNOWN}, _("Action"))
        made._word(query, "time", {word: period_label(word) for word in PERIODS}, _("Time"))
        made._word(query, "origin", {"playbook": _("Playbooks"), "hand": _("By hand")}, _("From"))
        made._person(query.get("by", "").strip())
        for name, prefix in (("alert", "ALR"), ("incident", "INC"), ("run", "RUN")):
            made._number(query.get(name, "").strip(), name, prefix)
        if text := query.get("q", "").replace("\x00", "").strip()[:200]:
            made.chosen["q"] = made.labels["q"] = text
        return made

    def _statuses(self, text: str) -> None:
        words = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
        if not words:
            return
        if wrong := next((word for word in words if word not in TaskStatus.values), ""):
            self.errors.append(_("Status: there is no “%s”.") % wrong[:40])
            return
        self.chosen["status"] = words
        self.labels["status"] = ", ".join(_(str(TaskStatus(word).label)) for word in words)

    def _word(self, query: Any, name: str, known: dict[str, str], title: str) -> None:
        word = query.get(name, "").strip()
        if not word:
            return
        if word not in known:
            self.errors.append(_("%(name)s: there is no “%(word)s”.") % {"name": title, "word": word[:40]})
            return
        self.chosen[name], self.labels[name] = word, known[word]

    def _person(self, name: str) -> None:
        name = name.replace("\x00", "")
        if not name:
            return
        user = User.objects.filter(username=name[:150]).first()
        if user is None:
            self.errors.append(_("By: there is no user “%s”.") % name[:40])
            return
        self.chosen["by"], self.labels["by"] = user.username, user.display_name()

    def _number(self, text: str, name: str, prefix: str) -> None:
        if not text:
            return
        try:
            pk = parse_number(text, prefix)
        except Missing:
            self.errors.append(_("%(name)s: “%(text)s” is no number.") % {"name": name.capitalize(), "text": text[:40]})
            return
        self.chosen[name], self.labels[name] = pk, str(pk) if name == "run" else f"{prefix}-{pk}"

    def apply(self, rows: QuerySet[ResponseTask]) -> QuerySet[ResponseTask]:
        """``rows`` narrowed to what was asked for."""
        chosen = self.chosen
        for name in ("action", "run", "alert", "incident"):
            if name in chosen:
                rows = rows.filter(**{name: chosen[name]})
        if "status" in chosen:
            rows = rows.filter(status__in=chosen["status"])
        if "by" in chosen:
            rows = rows.filter(created_by__username=chosen["by"])
        if "q" in chosen:
            rows = rows.filter(target_value__icontains=chosen["q"])
        if "time" in chosen:
            rows = rows.filter(created_at__gte=timezone.now() - PERIODS[chosen["time"]])
        if "origin" in chosen:
            rows = rows.filter(run__isnull=chosen["origin"] == "hand")
        return rows

    def query(self, without: str = "", **more: str) -> str:
        """The query string of this filter, without one name, with others."""
        kept = {name: self._kept(name) for name in self.chosen if name != without}
        return urlencode({**kept, **more})

    def _kept(self, name: str) -> str:
        value = self.chosen[name]
        if name == "status":
            return ",".join(value)
        return self.labels[name] if name in ("alert", "incident") else str(value)

    def chips(self) -> list[tuple[str, str, str]]:
        """``[(name, what people read, query string without it)]``."""
        titles = {
            "status": _("Status"), "action": _("Action"), "q": _("Target"), "by": _("By"), "time": _("Time"),
            "run": _("Run"), "alert": _("Alert"), "incident": _("Incident"), "origin": _("From"),
        }  # fmt: skip
        return [(titles[name], self.labels[name], self.query(without=name)) for name in self.chosen]
