"""What playbooks add to an exported incident: its runs and response tasks, as far as the person may see them."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from cases.models import Incident
from playbooks.disclosure import withhold
from playbooks.models import Run, Step
from playbooks.representation import run_dict
from playbooks.response_representation import task_dict
from playbooks.response_selectors import TASK_RELATED, visible_tasks
from soar.accounts.models import User
from soar.lib.clock import iso


def parts(user: User, incident: Incident, alerts: list[int]) -> dict[str, Any]:
    """``runs`` and ``responses`` on the incident and on these of its alerts, oldest first.

    A run has the calls that were made, without their arguments and answers; where its record names what the person
    may not see it is ``withheld`` as in the API, and its tasks are told without words."""
    here = Q(incident=incident, alert=None) | Q(alert__in=alerts)
    rows = Run.objects.visible_to(user).filter(here)
    related = ("playbook", "version", "sequence", "started_by")
    runs = list(rows.select_related(*related).defer("input", "traceback", "report", "version__source").order_by("pk"))
    tasks = list(visible_tasks(user).filter(here).select_related(*TASK_RELATED).order_by("pk"))
    withhold(user, runs, tasks=tasks)
    calls = _calls([run.pk for run in runs])
    return {
        "runs": [run_dict(run) | {"steps": calls.get(run.pk, [])} for run in runs],
        "responses": [task_dict(task) for task in tasks],
    }


def _calls(runs: list[int]) -> dict[int, list[dict[str, Any]]]:
    columns = ("run_id", "position", "name", "kind", "status", "started_at", "finished_at")
    found: dict[int, list[dict[str, Any]]] = {}
    for run, position, name, kind, status, started, finished in (
        Step.objects.filter(run__in=runs).order_by("run", "position", "pk").values_list(*columns)
    ):
        found.setdefault(run, []).append(
            {
                "position": position,
                "name": name,
                "kind": kind,
                "status": status,
                "started_at": iso(started),
                "finished_at": iso(finished),
            }
        )
    return found
