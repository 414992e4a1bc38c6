"""The filter of the runs list: query string to queryset and chips (response-playbooks.md 26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _

from cases.errors import Missing
from cases.permissions import parse_number
from playbooks.choices import RunStatus, StartedBy
from playbooks.models import Playbook
from playbooks.querysets import RunQuerySet

PERIODS = {"1h": timedelta(hours=1), "24h": timedelta(days=1), "7d": timedelta(days=7), "30d": timedelta(days=30)}


def period_label(word: str) -> str:
    """What people read for a period."""
    labels = {"1h": _("Last hour"), "24h": _("Last 24 hours"), "7d": _("Last 7 days"), "30d": _("Last 30 days")}
    return labels[word]


@dataclass(slots=True)
class RunFilter:
    """What was asked for, by name; what cannot be understood is in ``errors`` and narrows nothing."""

    chosen: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, query: Any) -> RunFilter:
        """From a QueryDict with status, playbook, time, trigger, alert, incident, id (of the run)."""
        made = cls()
        made._word(query, "status", dict(RunStatus.choices), _("Status"))
        made._word(query, "trigger", dict(StartedBy.choices), _("Started"))
        made._word(query, "time", {word: period_label(word) for word in PERIODS}, _("Time"))
        made._playbook(query.get("playbook", "").strip())
        made._id(query.get("id", "").strip())
        made._number(query.get("alert", "").strip(), "alert", "ALR")
        made._number(query.get("incident", "").strip(), "incident", "INC")
        return made

    def _word(self, query: Any, name: str, known: dict[str, Any], title: str) -> None:
        word = query.get(name, "").strip()
        if not word:
            return
        if word not in known:
            self.errors.append(_("%(name)s: there is no “%(word)s”.") % {"name": title, "word": word[:40]})
            return
        self.chosen[name], self.labels[name] = word, _(str(known[word]))

    def _playbook(self, text: str) -> None:
        if not text:
            return
        usable = text.isascii() and text.isdigit() and len(text) < 19
        found = Playbook.objects.only("name").filter(pk=int(text)).first() if usable else None
        if found is None:
            self.errors.append(_("There is no playbook “%s”.") % text[:40])
            return
        self.chosen["playbook"], self.labels["playbook"] = found.pk, found.name

    def _id(self, text: str) -> None:
        if not text:
            return
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            self.errors.append(_("“%s” is no number of a run.") % text[:40])
            return
        self.chosen["pk"], self.labels["pk"] = int(text), text

    def _number(self, text: str, name: str, prefix: str) -> None:
        if not text:
            return
        try:
            pk = parse_number(text, prefix)
        except Missing:
            self.errors.append(_("“%s” is no number of that kind.") % text[:40])
            return
        self.chosen[name], self.labels[name] = pk, f"{prefix}-{pk}"

    def apply(self, rows: RunQuerySet) -> RunQuerySet:
        """``rows`` narrowed to what was asked for."""
        for name in ("status", "playbook", "trigger", "alert", "pk"):
            if name in self.chosen:
                rows = rows.filter(**{name: self.chosen[name]})
        if "incident" in self.chosen:
            rows = rows.on_incident(self.chosen["incident"])
        if "time" in self.chosen:
            rows = rows.filter(queued_at__gte=timezone.now() - PERIODS[self.chosen["time"]])
        return rows

    def query(self, without: str = "", **more: str) -> str:
        """The query string of this filter, without one name, with others."""
        kept = {
            name: self.labels[name] if name in ("alert", "incident") else value for name, value in self.chosen.items()
        }
        named = {"id" if name == "pk" else name: value for name, value in kept.items() if name != without}
        return urlencode({**named, **more})

    def chips(self) -> list[tuple[str, str, str]]:
        """``[(name, what people read, query string without it)]``."""
        titles = {"status": _("Status"), "playbook": _("Playbook"), "trigger": _("Started"), "time": _("Time"),
                  "alert": _("Alert"), "incident": _("Incident"), "pk": _("Run")}  # fmt: skip
        return [(titles[name], label, self.query(without=name)) for name, label in self.labels.items()]
