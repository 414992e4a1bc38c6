"""A case of another product, or of another Soar, in Soar's own words, and the report of what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = dict[str, Any]
LINES_AT_MOST = 40  # of each sort in the text; the JSON has all of them


@dataclass(slots=True)
class Report:
    """What came over (how many of each sort), what was changed on the way, and what could not come, with reasons."""

    product: str
    ref: str = ""
    title: str = ""
    incident: str = ""
    dry_run: bool = True
    error: str = ""
    came: Counter[str] = field(default_factory=Counter)
    changed: list[tuple[str, str]] = field(default_factory=list)
    left: list[tuple[str, str]] = field(default_factory=list)

    def change(self, what: str, why: str) -> None:
        """Something is here in another form than there."""
        self.changed.append((what[:300], why))

    def leave(self, what: str, why: str) -> None:
        """Something is not here."""
        self.left.append((what[:300], why))

    def as_dict(self) -> Json:
        """All of it as plain JSON."""
        return {
            "product": self.product,
            "case": self.ref,
            "title": self.title,
            "incident": self.incident or None,
            "dry_run": self.dry_run,
            "error": self.error or None,
            "came": dict(self.came),
            "changed": [{"what": what, "why": why} for what, why in self.changed],
            "left": [{"what": what, "why": why} for what, why in self.left],
        }

    def as_text(self) -> str:
        """For a terminal, a line a fact."""
        lines = [f"{self.product} {self.ref}: {self.title}".rstrip(": "), f"  {self._verdict()}"]
        if self.came:
            lines.append("  came over: " + ", ".join(f"{number} {what}" for what, number in self.came.items()))
        for name, facts in (("changed", self.changed), ("left behind", self.left)):
            lines += [f"  {name}: {what}: {why}" for what, why in facts[:LINES_AT_MOST]]
            if len(facts) > LINES_AT_MOST:
                lines.append(f"  {name}: {len(facts) - LINES_AT_MOST} more (--json has all)")
        return "\n".join(lines)

    def _verdict(self) -> str:
        if self.error:
            return f"not imported: {self.error}"
        if self.dry_run:
            return "would be imported (a dry run: nothing was kept; --apply keeps it)"
        return f"imported as {self.incident}"


@dataclass(slots=True)
class TaskPlan:
    """A line of the checklist."""

    title: str
    description: str = ""
    assignee: str = ""
    due_at: datetime | None = None
    required: bool = False
    done_at: datetime | None = None
    done_by: str = ""


@dataclass(slots=True)
class ObservablePlan:
    """Type as in rulings 28, and value as it was written."""

    type: str
    value: str
    role: str = "imported"


@dataclass(slots=True)
class AssetPlan:
    """A machine by its name."""

    name: str
    type: str = ""
    system: str = ""
    addresses: list[str] = field(default_factory=list)


@dataclass(slots=True)
class EntryPlan:
    """Something that stood in the history there. ``was``: what happened, in the words of there. ``subject``: the
    ``ref`` of the alert whose history it was, "" for the incident's own. ``data`` is kept with it."""

    at: datetime
    author: str
    was: str
    text: str = ""
    note: bool = False
    subject: str = ""
    data: Json = field(default_factory=dict)


@dataclass(slots=True)
class AlertPlan:
    """An alert; ``fields`` are columns of the model but for choices, which are words. ``body`` and the latest one are
    its payload."""

    ref: str
    fields: Json
    observables: list[ObservablePlan] = field(default_factory=list)
    assets: list[Json] = field(default_factory=list)
    body: str = "{}"
    latest_body: str | None = None
    latest_at: datetime | None = None


@dataclass(slots=True)
class EvidencePlan:
    """A file; ``member`` is its name in the archive, "" where its bytes did not come along."""

    name: str
    sha256: str
    size: int
    description: str = ""
    tlp: str = ""
    member: str = ""


@dataclass(slots=True)
class Plan:
    """A case. ``key`` tells it from all others of its product; ``home`` is the id it has in this portal, if it was
    exported from here. Choices are words of the API."""

    product: str
    key: str
    ref: str
    title: str
    report: Report
    summary: str = ""
    url: str = ""
    severity: str = "medium"
    status: str = "open"
    determination: str = "unknown"
    findings: str = ""
    resolve_reason: str = ""
    tlp: str = "amber"
    pap: str = "amber"
    restricted: bool = False
    team: str = ""
    tags: list[str] = field(default_factory=list)
    techniques: list[str] = field(default_factory=list)
    custom_fields: Json = field(default_factory=dict)
    owners: list[tuple[str, bool]] = field(default_factory=list)
    created_at: datetime | None = None
    contained_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    home: tuple[int, str] | None = None
    tasks: list[TaskPlan] = field(default_factory=list)
    observables: list[ObservablePlan] = field(default_factory=list)
    assets: list[AssetPlan] = field(default_factory=list)
    alerts: list[AlertPlan] = field(default_factory=list)
    entries: list[EntryPlan] = field(default_factory=list)
    evidence: list[EvidencePlan] = field(default_factory=list)
    facts: Json = field(default_factory=dict)
