"""One verb on many alerts that were ticked. Each alert is its own transaction: one refusal stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cases.actions import alerts, incidents, links
from cases.actors import Actor
from cases.errors import CaseError, Refused
from cases.models import Alert

AT_MOST = 1000


@dataclass
class BulkResult:
    """How many were done, and what was refused: (number, message)."""

    done: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    incident: str = ""


def apply(actor: Actor, ids: Sequence[int], action: str, fields: dict[str, Any]) -> BulkResult:
    """Apply ``action`` (assign, claim, status, resolve, reopen, severity, tag, link, incident) to alerts.

    ``link`` and ``incident`` are all or nothing, the others alert by alert. Raises Refused for an unknown
    action, no alerts or more than 1,000, and whatever link and incident raise."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Refused("Tick some alerts first.", field="ids")
    if len(wanted) > AT_MOST:
        raise Refused(f"At most {AT_MOST} alerts at once.", field="ids")
    if action == "link":
        incident = links.link(actor, wanted, fields.get("incident") or "", move=bool(fields.get("move")))
        return BulkResult(len(wanted), incident=incident.number)
    if action == "incident":
        title = fields.get("title") or ""
        incident = incidents.open_incident(actor, title=title, alerts=wanted, owners=fields.get("owners") or ())
        return BulkResult(len(wanted), incident=incident.number)
    if action not in ONE_BY_ONE:
        known = ", ".join([*ONE_BY_ONE, "link", "incident"])
        raise Refused(f"{action!s:.40} is not one of: {known}.", field="action")
    return _one_by_one(actor, wanted, ONE_BY_ONE[action], fields)


def _one_by_one(
    actor: Actor,
    ids: Sequence[int],
    verb: Callable[[Actor, int, dict[str, Any]], Alert],
    fields: dict[str, Any],
) -> BulkResult:
    result = BulkResult()
    for pk in ids:
        try:
            verb(actor, pk, fields)
            result.done += 1
        except CaseError as error:
            result.refused.append((f"ALR-{pk}", error.message))
    return result


def _assign(actor: Actor, pk: int, fields: dict[str, Any]) -> Alert:
    wanted = {name: fields[name] for name in ("owner", "team") if name in fields}
    return alerts.assign(actor, pk, **wanted)


def _resolve(actor: Actor, pk: int, fields: dict[str, Any]) -> Alert:
    return alerts.resolve(
        actor,
        pk,
        determination=fields.get("determination") or "unknown",
        findings=fields.get("findings") or "",
        reason=fields.get("reason") or "",
    )


ONE_BY_ONE: dict[str, Callable[[Actor, int, dict[str, Any]], Alert]] = {
    "assign": _assign,
    "claim": lambda actor, pk, fields: alerts.claim(actor, pk),
    "status": lambda actor, pk, fields: alerts.set_status(actor, pk, fields.get("status") or ""),
    "resolve": _resolve,
    "reopen": lambda actor, pk, fields: alerts.reopen(actor, pk, reason=fields.get("reason") or ""),
    "severity": lambda actor, pk, fields: alerts.set_severity(actor, pk, fields.get("severity") or ""),
    "tag": lambda actor, pk, fields: alerts.add_tags(actor, pk, fields.get("tags") or []),
}
