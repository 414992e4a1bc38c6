"""Approvals for tests: a playbook that asks before it acts, and people who may answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from cases.actors import Actor
from cases.models import Alert, TimelineEntry
from playbooks.models import Approval, ResponseTask
from soar.accounts.models import Team, User
from tests.factories import make_source, make_user
from tests.response_tools import action, alert_of, graph, publish, run_now


def blue_alert(blue: Team, *observables: tuple[str, str], **fields: Any) -> Alert:
    """An alert that only team Blue sees, on host LT-0042 by a.voss."""
    return alert_of(*observables, source=make_source(team=blue), **fields)


def asked(
    blue: Team, *names: Any, two: bool = False, by: User | None = None, alert: Alert | None = None, **node: Any
) -> Approval:
    """An approval that waits: a run of a playbook that asks before it isolates the host, or before these actions."""
    wish = {"method": "email", "subject_prefix": "", "recipients": ["soc@corp.example"], "channels": []}
    asks = action("a", *(names or ("isolate_endpoint",)), approval={**wish, "two_people": two}, **node)
    actor = Actor.of(by) if by else None
    run = run_now(publish(graph(asks)), alert or blue_alert(blue), actor)
    return Approval.objects.filter(run=run).order_by("pk")[0]


def second_responder() -> User:
    """Another responder of team Blue."""
    return make_user("omar", "Responder", teams=("Blue",), first_name="Omar", last_name="Haddad")


def run_out(approval: Approval) -> None:
    """As if its time had passed."""
    Approval.objects.filter(pk=approval.pk).update(expires_at=Now() - timedelta(seconds=1))


def statuses(approval: Approval) -> dict[str, str]:
    """Target and status of its tasks."""
    return dict(ResponseTask.objects.filter(approval=approval).values_list("target_value", "status"))


def told(alert: Alert | None, kind: str) -> list[TimelineEntry]:
    """The entries of a kind on an alert's timeline."""
    return list(TimelineEntry.objects.filter(alert=alert, kind=kind).order_by("pk"))
