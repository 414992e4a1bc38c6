"""Fields that both sides changed, as rows and entries of the timeline (servicenow.md 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import F

from cases import timeline
from cases.actors import Actor
from cases.models import Incident, MappingGap, TicketConflict, TicketLink, TimelineEntry
from cases.servicenow.history import Touch
from cases.servicenow.linking import ACTOR_TYPE, named
from cases.servicenow.mapping import CaseState, Gap, ProfileRules, incoming, ours, raw_of
from cases.servicenow.remote import our_time
from soar.connectors.servicenow.records import Record
from soar.lib import clock

# By field, the names under which the timeline tells its changes.
TOLD_AS = {
    "title": ("title",),
    "severity": ("severity",),
    "status": ("status",),
    "determination": ("determination", "findings", "resolve_reason"),
    "team": ("team",),
}


class Account:
    """What is written down of conflicts while one record is looked at; the rows are locked."""

    def __init__(
        self, incident: Incident, link: TicketLink, rules: ProfileRules, record: Record, touches: Mapping[str, Touch]
    ) -> None:
        self.incident, self.link, self.rules, self.record = incident, link, rules, record
        self._touches = touches
        self.open = {row.field: row for row in link.conflicts.filter(outcome="")}

    def newer(self, name: str) -> bool:
        """Whether the last change of the field here is younger than that there, by our clock; where nothing tells of
        that field alone, than that of the ticket. Theirs tells whole seconds: within one, ours is the younger."""
        entry = last_change(self.incident, name)
        return entry is not None and entry.recorded_at >= our_time(self.link.instance, self._touch(name).at)

    def _touch(self, name: str) -> Touch:
        return self._touches.get(name) or Touch(self.record.updated_on, self.record.updated_by)

    def tell(self, name: str, case: CaseState, rule: str, outcome: str, why: str = "") -> None:
        """Write the conflict down, if it is not open already; then only what the sides are by now."""
        both = self._both(name, case, why)
        known = self.open.get(name)
        if known is not None:
            for key, value in both.items():
                setattr(known, key, value)
            known.save(update_fields=list(both))
            return
        decided = clock.now() if outcome else None
        row = TicketConflict.objects.create(
            link=self.link, field=name, rule=rule, outcome=outcome, decided_at=decided, **both
        )
        if not outcome:
            self.open[name] = row
        data = named(self.link, field=name, rule=rule, outcome=outcome, conflict=row.pk)
        data |= {"ours": both["ours"]["shown"], "theirs": both["theirs"]["shown"]}
        timeline.record("servicenow.conflict", self.incident, Actor.system(), text=why, data=data)

    def over(self, name: str, outcome: str) -> None:
        """Both sides have come to say the same by themselves."""
        row = self.open.pop(name)
        row.outcome, row.decided_at = outcome, clock.now()
        row.save(update_fields=["outcome", "decided_at"])
        data = named(self.link, field=name, outcome=outcome, conflict=row.pk)
        timeline.record("servicenow.settled", self.incident, Actor.system(), data=data)

    def _both(self, name: str, case: CaseState, why: str) -> dict[str, Any]:
        mine, read = ours(self.rules, case)[name], incoming(self.rules, self.record.fields, case).get(name)
        raw = raw_of(name, self.record.fields)
        base = self.link.base.get(name) or {}
        entry = last_change(self.incident, name)
        theirs = {"value": read or None, "shown": _shown(name, read) if read else _raw_shown(raw)}
        touch = self._touch(name)
        theirs |= {"by": touch.by, "at": clock.iso(touch.at), **({"why": why} if why else {})}
        by = {"by": entry.actor_name, "at": clock.iso(entry.recorded_at)} if entry else {}
        return {
            "base": {"value": base.get("ours"), "shown": _shown(name, base.get("ours"))},
            "ours": {"value": mine, "shown": _shown(name, mine), **by},
            "theirs": theirs,
            "raw": raw,
        }


def last_change(incident: Incident, name: str) -> TimelineEntry | None:
    """The last change of the field that was made here."""
    rows = TimelineEntry.objects.filter(incident=incident).exclude(actor_type=ACTOR_TYPE).order_by("-pk")
    if name == "owner":
        return rows.filter(kind="incident.owners").first()
    kinds = ("changed", "incident.reopened")
    return rows.filter(kind__in=kinds, data__field__in=TOLD_AS[name]).first()


def count_gaps(link: TicketLink, gaps: dict[str, Gap]) -> None:
    """Count values without a counterpart that were met."""
    for gap in gaps.values():
        now: datetime = clock.now()
        key = {"profile": link.profile, "map": gap.map, "value": gap.value[:200]}
        row, made = MappingGap.objects.get_or_create(**key, defaults={"label": gap.label[:200], "last_at": now})
        if not made:
            MappingGap.objects.filter(pk=row.pk).update(met=F("met") + 1, last_at=now)


def _shown(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("determination") or "")
    return str(value or "").replace("_", " ") if name in ("status", "severity") else str(value or "")


def _raw_shown(raw: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in raw.items() if value)
