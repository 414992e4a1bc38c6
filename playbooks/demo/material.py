"""What response playbooks of the demo are made with: models, scripts, the never-touch list, the block list, drafts.

It needs no practice range. Everything is marked as the demo's, or its ids are in the audit log for the removal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cases.actors import Actor
from cases.demo.stage import Stage
from cases.demo.stories.campaign import C2, CALLS, NAME
from cases.errors import Refused
from playbooks import detection_models, script_files
from playbooks.actions import models, never_touch
from playbooks.models import DetectionModel, NeverTouch, Script
from soar.accounts import audit
from soar.connectors.blocklist import actions as blocklist
from soar.connectors.errors import Refused as NotBlocked
from soar.lib import clock

MADE = "demo.response"
CUSTOM = ("Ransom Note Written", "critical")


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the never-touch list: who entered it, and how many days ago."""

    who: str
    days: int
    by: str
    value: str
    kinds: tuple[str, ...]
    reason: str


NEVER_TOUCH = (
    Rule("mara", 150, "name", "DC-*", ("endpoint",), "Domain controllers: without them nobody can log in."),
    Rule("mara", 150, "tag", "vip", (), "Machines of the executive board: its office is called first."),
    Rule("hanna", 96, "network", "10.30.8.0/24", (), "Tier 0: changes only with Platform on the line."),
    Rule("mara", 41, "name", "*\\h.lund", ("account",), "Chief executive: her assistant is called first."),
    Rule("hanna", 33, "name", "edge-vpn-01", ("endpoint",), "The only way in for the night shift."),
)
SCRIPTS = (
    ("triage-windows.ps1", (), "Processes, connections and what starts by itself, as text. Changes nothing.", 71),
    ("triage-linux.sh", ("linux",), "The same for Linux servers. Changes nothing.", 71),
)
# (type, value, who, hours ago, days, reason)
BLOCKED = (
    ("ip", C2, "Priya Raman", 6, 180, "Command and control of the invoice campaign"),
    ("domain", CALLS, "Priya Raman", 6, 180, "Command and control of the invoice campaign"),
    ("domain", NAME, "Jonas Adeyemi", 7, 90, "Sender of the fake invoices"),
    ("ip", "203.0.113.201", "Hanna Wójcik", 75, 30, "Tries passwords on every server that the internet can reach"),
)


def stock(stage: Stage) -> None:
    """Put all of it there, in the transaction of the seeding."""
    detection_models.collect()
    made: dict[str, Any] = {"models": _custom_model(), "blocked": _blocked(stage)}
    _never_touch(stage)
    _scripts(stage)
    audit.record(None, MADE, "demo data", **made)


def _custom_model() -> list[int]:
    name, severity = CUSTOM
    if DetectionModel.objects.filter(key=name.lower()).exists():
        return []
    return [models.add(Actor.system(), name, severity).pk]


def _blocked(stage: Stage) -> list[int]:
    """Values that people of the demo have blocked; what is blocked already is left alone."""
    made = []
    for type_, value, who, hours, days, reason in BLOCKED:
        with clock.at(stage.now - timedelta(hours=hours)):
            try:
                entry, new = blocklist.add(who, None, type_, value, reason=reason, days=days)
            except NotBlocked:  # somebody's exception
                continue
        made += [entry.pk] if new else []
    return made


def _never_touch(stage: Stage) -> None:
    for rule in NEVER_TOUCH:
        try:
            row = never_touch.add(
                stage.writer(rule.who), by=rule.by, value=rule.value, reason=rule.reason, kinds=rule.kinds
            )
        except Refused:  # it is on the list already
            continue
        NeverTouch.objects.filter(pk=row.pk).update(demo=True, added_at=stage.now - timedelta(days=rule.days))


def _scripts(stage: Stage) -> None:
    """Written by Tomas. Not through the action: its audit row would name somebody who is taken away again."""
    for name, systems, about, days in SCRIPTS:
        if Script.objects.filter(name__iexact=name, removed=False).exists():
            continue
        found = script_files.read(name, (Path(__file__).parent / "scripts" / name).read_bytes(), systems)
        script = Script.objects.create(
            name=found.name,
            language=found.language,
            systems=list(found.systems),
            description=about,
            text=found.text,
            sha256=found.sha256,
            size=found.size,
            uploaded_by=stage.users["tomas"],
            uploaded_at=stage.now - timedelta(days=days),
            demo=True,
        )
        audit.record(None, "script.added", script.name, sha256=script.sha256, size=script.size)
