"""What a task would send, without sending it: for approvals and for actions by hand (spec 17b, 20).

Connectors only build the request; secrets are masked."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from playbooks.actions.response_plan import Plan, Planned
from playbooks.models import ResponseTask
from playbooks.response import tasks
from playbooks.steps import ticket
from playbooks.steps.params import params_for
from soar.connectors import registry
from soar.connectors.capabilities import Target
from soar.connectors.errors import ConnectorError


@dataclass(frozen=True, slots=True)
class Preview:
    """The requests as ``{"method", "url", "body"}``; ``problem``: why they cannot be built."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""


def preview_of(task: ResponseTask) -> Preview:
    """The first requests of a task that acts through a connector or sends a ticket; nothing for what the portal
    does itself.

    ``task`` may be a draft that was never saved."""
    if task.action == "ticket":
        return _ticket(task)
    if not task.capability:
        return Preview()
    if task.account is None:
        own = task.capability in ("block", "unblock")
        return Preview() if own else Preview(problem=_("No connector is set up for this any more."))
    target = Target(task.target_kind, task.target_value, dict(task.target.get("facts") or {}))
    try:
        connector: Any = registry.of(task.account, cause=task.cause, dry_run=True)
        return Preview(list(connector.requests(task.capability, target, params_for(task))))
    except ConnectorError as error:
        return Preview(problem=error.message)


def _ticket(task: ResponseTask) -> Preview:
    name = str(task.params.get("profile", ""))
    profile = ticket.profile_named(name)
    hindrance = ticket.hindrance_of(profile, name)
    if profile is None or hindrance:
        return Preview(problem=hindrance)
    try:
        return Preview([ticket.request_for(task, profile)])
    except ConnectorError as error:
        return Preview(problem=error.message)


def preview_planned(made: Plan) -> list[dict[str, Any]]:
    """What would become of each object, and what would be sent for it: ``{"target", "status", "reason", "connector",
    "requests", "problem"}``."""
    return [_planned(made, one) for one in made.planned]


def _planned(made: Plan, one: Planned) -> dict[str, Any]:
    draft = tasks.draft(
        action=made.spec.name, cause=uuid.uuid4(), target=one.target, params=made.params, account=one.account
    )
    # Our own block list takes no request; what is not done sends none.
    acts = one.account is not None and one.status in ("queued", "pending_approval")
    preview = preview_of(draft) if acts else Preview()
    return {
        "target": {"kind": one.target["kind"], "value": one.target["value"]},
        "status": one.status.value,
        "reason": one.reason,
        "connector": one.account.name if one.account else None,
        "requests": preview.requests,
        "problem": preview.problem,
    }
