"""Makes an incident with an alert and all that can hang on the two."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

from guardian.shortcuts import assign_perm

from cases.actions import incidents
from cases.actors import Actor
from cases.models import (
    Alert,
    AlertAsset,
    AlertSource,
    Incident,
    IncidentAsset,
    IncidentMove,
    IncidentObservable,
    IncidentRelation,
    IncidentTask,
    Notification,
    Observable,
    TicketProfile,
)
from cases.permissions import LEVELS
from playbooks.choices import RunStatus, StartedBy, StepStatus, TaskStatus
from playbooks.models import Approval, Backtest, Playbook, PlaybookVersion, ResponseTask, Run, Step
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.crossing.things import Things
from tests.evidence_files import keep
from tests.factories import make_alert, make_asset, make_incident
from tests.response_tools import action, graph
from tests.ticket_rows import make_conflict, make_failure, make_link

# Nothing but the restricted incident and what hangs on it bears this text.
MARK = "zq-not-for-you"


def make_case(
    name: str,
    owner: User,
    profile: TicketProfile,
    source: AlertSource,
    neighbour: Incident,
    *,
    restricted: bool = False,
) -> Things:
    """An incident of team Blue called ``name``, which the owner owns; as is all that hangs on it. It is linked with its
    neighbour, which all may see."""
    blue, host = Team.objects.get(name="Blue"), make_asset(f"host-{name}", listed=False)
    alert = make_alert(f"Alert {name}", source=source, observables=(("domain", f"{name}.com"),))
    AlertAsset.objects.create(alert=alert, asset=host)
    incident = make_incident(f"Incident {name}", alert, team=blue)
    incidents.comment(Actor.of(owner), incident.pk, f"Note {name}")
    alert.refresh_from_db()
    observable = Observable.objects.get(value=f"{name}.com")
    IncidentAsset.objects.create(incident=incident, asset=host, added_by="Ada")
    IncidentObservable.objects.create(incident=incident, observable=observable, added_by="Ada")
    found = {
        "incident": incident.number, "alert": alert.number, "asset": host.pk, "observable": observable.pk,
        "evidence": keep(incident, f"{name}.eml").pk, "task": _task(incident, name),
        "alert_note": alert.timeline.order_by("pk").values_list("pk", flat=True)[0],
        "note": incident.timeline.filter(kind="comment").values_list("pk", flat=True)[0],
        **_tickets(incident, profile), **_run(incident, alert, name), **_beside(incident, neighbour),
    }  # fmt: skip
    found["notification"] = _told(incident, owner)
    if restricted:
        _restrict(incident, owner)
    return found


def _told(incident: Incident, owner: User) -> int:
    """A line in the owner's inbox."""
    now, entry = clock.now(), incident.timeline.order_by("-pk")[0]
    line = Notification.objects.create(
        user=owner, reason="mention", key=f"{incident.pk}", entry=entry.pk, kind=entry.kind, incident=incident,
        created_at=now, at=now,
    )  # fmt: skip
    return line.pk


def _restrict(incident: Incident, owner: User) -> None:
    """As the page does it, but for a single grant: the owner's."""
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    for level in LEVELS[: LEVELS.index("edit") + 1]:
        assign_perm(f"cases.{level}_incident", owner, incident)


def _beside(incident: Incident, other: Incident) -> Things:
    """The link with another incident, which was split off it."""
    row = IncidentRelation.objects.create(
        incident=incident, other=other, kind="related_to", added_by="Soar", added_at=clock.now()
    )
    move = IncidentMove.objects.create(
        kind="split", source=incident, target=other, made_by_name="Soar", made_at=clock.now()
    )
    return {"relation": row.pk, "move": move.pk}


def _task(incident: Incident, name: str) -> int:
    now = clock.now()
    about = {"title": f"Task {name}", "position": 1, "created_at": now, "updated_at": now}
    return IncidentTask.objects.create(incident=incident, **about).pk


def _tickets(incident: Incident, profile: TicketProfile) -> Things:
    link = make_link(incident, profile)
    return {"link": link.pk, "conflict": make_conflict(link).pk, "change": make_failure(link).pk}


def _run(incident: Incident, alert: Alert, name: str) -> Things:
    """A run on the alert that waits for an approval, and its playbook, which anybody may read."""
    cause, now = uuid.uuid4(), clock.now()
    playbook = _playbook()
    run = Run.objects.create(
        playbook=playbook, version=playbook.current, alert=alert, status=RunStatus.PENDING_APPROVAL,
        trigger=StartedBy.AUTOMATIC, cause=cause, started_at=now, targets=[],
    )  # fmt: skip
    step = Step.objects.create(
        run=run, position=1, name="a", key="action", kind="node", arguments_digest="", result={"note": name},
        status=StepStatus.PENDING_APPROVAL,
    )  # fmt: skip
    approval = Approval.objects.create(
        run=run, step=step, alert=alert, title=f"Isolate {name}", expires_at=now + timedelta(hours=1), cause=cause
    )
    task = ResponseTask.objects.create(
        run=run, step=step, alert=alert, node="a", action="isolate_endpoint", capability="isolate_endpoint",
        target_kind="endpoint", target_value=f"host-{name}", status=TaskStatus.PENDING_APPROVAL, approval=approval,
        target={"kind": "endpoint", "value": f"host-{name}", "facts": {}}, cause=cause,
    )  # fmt: skip
    return {"run": run.pk, "step": step.pk, "approval": approval.pk, "response": task.pk}


def _playbook() -> Playbook:
    row = Playbook.objects.filter(name="Contain").first()
    if row is not None:
        return row
    document: dict[str, Any] = {**graph(action("a", "isolate_endpoint")), "name": "Contain"}
    row = Playbook.objects.create(name="Contain", kind="response", trigger="webhook", draft=document)
    digest = hashlib.sha256(json.dumps(document).encode()).hexdigest()
    row.current = PlaybookVersion.objects.create(playbook=row, number=1, digest=digest, source="", definition=document)
    row.save()
    return row


def of_playbook(author: User) -> Things:
    """The playbook that both cases ran, with a backtest."""
    row = _playbook()
    return {"playbook": row.pk, "backtest": Backtest.objects.create(playbook=row, graph={}, started_by=author).pk}
