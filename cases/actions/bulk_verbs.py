"""The verbs that a bulk action knows: how their fields are read, once, and what they do to each alert that is locked.

A new one is an entry of ``VERBS``. It changes the alert by functions of ``cases.actions`` that record and save; it asks
the database nothing for each alert, as a hundred thousand may come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.alert_state import apply_status, resolve_locked
from cases.actions.alert_verbs import (
    add_tags_locked,
    assign_locked,
    claim_locked,
    reopen_if_resolved,
    severity_locked,
)
from cases.actions.base import KEEP, person, tags_of, team_of, text_of, word
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.errors import Refused
from cases.models import Alert

Fields = dict[str, Any]
STATE = (
    "status", "determination", "findings", "resolve_reason", "resolved_at", "resolved_by_playbook", "acknowledged_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verb:
    """``read`` turns what was asked into what ``act`` takes, and raises Refused; ``act`` raises CaseError for an alert
    that it is refused for. ``undo`` names the fields of the alert that an undo puts back; none, no undo."""

    read: Callable[[Fields], Fields]
    act: Callable[[Actor, Alert, Fields], Any]
    undo: tuple[str, ...] = ()


def _why(fields: Fields) -> str:
    return text_of(fields.get("reason") or "", "reason", most=5000, required=False)


def _assigning(fields: Fields) -> Fields:
    if not {"owner", "team"} & fields.keys():
        raise Refused(_("Name an owner or a team."), field="owner")
    return {
        "owner": person(fields["owner"]) if "owner" in fields else KEEP,
        "team": team_of(fields["team"]) if "team" in fields else KEEP,
    }


def _status(fields: Fields) -> Fields:
    return {"status": word(AlertStatus, fields.get("status") or "", "status"), "reason": _why(fields)}


def _resolving(fields: Fields) -> Fields:
    determination = word(Determination, fields.get("determination") or "unknown", "determination")
    if determination == Determination.UNKNOWN:
        raise Refused(_("Resolving needs a determination other than unknown."), field="determination")
    return {"determination": determination, "findings": fields.get("findings") or "", "reason": _why(fields)}


def _severity(fields: Fields) -> Fields:
    return {"severity": word(Severity, fields.get("severity") or "", "severity")}


def _tags(fields: Fields) -> Fields:
    return {"tags": tags_of(list(fields.get("tags") or []))}


VERBS: dict[str, Verb] = {
    "assign": Verb(
        _assigning,
        lambda actor, alert, given: assign_locked(actor, alert, given["owner"], given["team"]),
        ("owner", "team", "acknowledged_at"),
    ),
    "claim": Verb(
        lambda fields: {},
        lambda actor, alert, given: claim_locked(actor, alert),
        ("owner", "status", "acknowledged_at"),
    ),
    "status": Verb(
        _status,
        lambda actor, alert, given: apply_status(actor, alert, given["status"], given["reason"]),
        STATE,
    ),
    "resolve": Verb(
        _resolving,
        lambda actor, alert, given: resolve_locked(
            actor, alert, given["determination"], given["findings"], given["reason"]
        ),
        STATE,
    ),
    "reopen": Verb(
        lambda fields: {"reason": _why(fields)},
        lambda actor, alert, given: reopen_if_resolved(actor, alert, given["reason"]),
        STATE,
    ),
    "severity": Verb(
        _severity,
        lambda actor, alert, given: severity_locked(actor, alert, given["severity"]),
        ("severity",),
    ),
    "tag": Verb(
        _tags,
        lambda actor, alert, given: add_tags_locked(actor, alert, given["tags"]),
        ("tags",),
    ),
}
