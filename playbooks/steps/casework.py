"""What a node does to the case, by the same actions as pages and API, in one transaction with the end of the task.

On the incident if the alert has one, else on the alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from cases.actions import alerts, incidents, template_use
from cases.errors import CaseError, Refused
from playbooks.choices import StartedBy, Trigger
from playbooks.effects import Case, add_current_alert_comment
from playbooks.models import Playbook, ResponseTask, Run
from playbooks.opening import RUN_TASK
from playbooks.response.locking import Held
from playbooks.response.tasks import Ending
from soar.lib.queue import enqueue

DEPTH_AT_MOST = 5
Params = dict[str, Any]


def act(held: Held, task: ResponseTask) -> Ending:
    """Do it, under the locks of the run. A refusal is how the task ended, and nothing of it stays."""
    if task.dry_run:
        return Ending("successful", message="Dry run: nothing was changed.")
    try:
        with transaction.atomic():
            said, data = _ACTS[task.action](held, dict(task.params))
    except CaseError as error:
        return Ending("unsuccessful", reason=error.message)
    return Ending("successful", message=said, data=data)


def _severity(held: Held, params: Params) -> tuple[str, Params]:
    wanted = str(params.get("severity", ""))
    if held.incident:
        incidents.update(held.actor, held.incident.pk, changes={"severity": wanted})
    else:
        alerts.set_severity(held.actor, _alert(held), wanted)
    return f"Severity is {wanted}.", {}


def _status(held: Held, params: Params) -> tuple[str, Params]:
    wanted, verdict = str(params.get("status", "")), str(params.get("determination") or "")
    reason = f"By the playbook {held.run.playbook.name}"
    if held.incident:
        incidents.set_status(held.actor, held.incident.pk, wanted, determination=verdict or None, reason=reason)
    elif wanted in ("resolved", "closed"):
        alerts.resolve(held.actor, _alert(held), determination=verdict, reason=reason)
    elif wanted == "contained":
        raise Refused(_("Only an incident can be contained, and the alert has none."))
    else:
        alerts.set_status(held.actor, _alert(held), wanted, reason=reason)
        if verdict:
            alerts.set_determination(held.actor, _alert(held), verdict, reason=reason)
    return f"Status is {wanted.replace('_', ' ')}.", {}


def _assign(held: Held, params: Params) -> tuple[str, Params]:
    owner = str(params.get("owner", ""))
    if held.incident:
        incidents.owners(held.actor, held.incident.pk, add=[owner])
    else:
        alerts.assign(held.actor, _alert(held), owner=owner)
    return f"{owner} owns it.", {}


def _tag(held: Held, params: Params) -> tuple[str, Params]:
    tags = [str(tag) for tag in params.get("tags") or []]
    if held.incident:
        there = list(type(held.incident).objects.values_list("tags", flat=True).get(pk=held.incident.pk))
        incidents.update(held.actor, held.incident.pk, changes={"tags": [*there, *tags]})
    else:
        alerts.add_tags(held.actor, _alert(held), tags)
    return f"Tagged {', '.join(tags)}.", {}


def _tasks(held: Held, params: Params) -> tuple[str, Params]:
    template = str(params.get("template", ""))
    if held.incident is None:
        raise Refused(_("Tasks belong to an incident, and the alert has none."))
    template_use.apply(held.actor, held.incident.pk, template)
    return f"The tasks of {template} were added.", {}


def _comment(held: Held, params: Params) -> tuple[str, Params]:
    case = Case(held.actor, held.alert.pk if held.alert else None, held.incident.pk if held.incident else None)
    entry = add_current_alert_comment(case, str(params.get("text", "")))
    return f"Noted on {entry['on']}.", entry


def _playbook(held: Held, params: Params) -> tuple[str, Params]:
    """Queue a run of a Python playbook with the same rights; what leads to one another ends at a depth of five."""
    name, run = str(params.get("playbook", "")), held.run
    row = Playbook.objects.filter(name__iexact=name, kind="python").first()
    if row is None:
        raise Refused(_("There is no Python playbook %(name)s.") % {"name": f"{name:.60}"})
    if row.hindrance:
        raise Refused(_("%(name)s starts nothing. %(hindrance)s") % {"name": row.name, "hindrance": row.hindrance})
    if run.depth >= DEPTH_AT_MOST:
        raise Refused(
            _("%(depth_at_most)s playbooks have led to one another already; the chain ends here.")
            % {"depth_at_most": DEPTH_AT_MOST}
        )
    started = Run.objects.create(
        playbook=row,
        trigger=StartedBy.AUTOMATIC,
        acting_user=run.acting_user,
        scopes=run.scopes,
        depth=run.depth + 1,
        cause=run.cause,
        rung_at=Now(),
        **_subject(held, row),
    )
    enqueue(RUN_TASK, started.pk)
    return f"{row.name} was started.", {"run": started.pk}


def _subject(held: Held, row: Playbook) -> dict[str, Any]:
    if row.trigger == Trigger.INCIDENT:
        if held.incident is None:
            raise Refused(_("%(name)s runs on an incident, and the alert has none.") % {"name": row.name})
        return {"incident": held.incident}
    return {} if row.trigger == Trigger.SCHEDULE else {"alert": held.alert}


def _alert(held: Held) -> int:
    if held.alert is None:
        raise Refused(_("This run has no alert."))
    return held.alert.pk


_ACTS: dict[str, Callable[[Held, Params], tuple[str, Params]]] = {
    "set_severity": _severity,
    "set_status": _status,
    "assign": _assign,
    "tag": _tag,
    "add_tasks": _tasks,
    "comment": _comment,
    "run_playbook": _playbook,
}
