"""The built-in block list: what is blocked always stands there, whatever other product blocks it besides."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from playbooks.models import ResponseTask
from playbooks.never_touch import Rule
from playbooks.response import changes
from playbooks.response.protecting import unchanged
from playbooks.response.tasks import Ending
from soar.connectors.attempts import Superseded
from soar.connectors.blocklist import actions
from soar.connectors.errors import Refused

CAPABILITIES = ("block", "unblock")


def locally(task: ResponseTask, listed: Sequence[Rule] | None = None) -> Ending | None:
    """Put the value on our own list, or take it off; done twice it is as done once. None if a connector is to go on
    with it, else how the task ended. ``listed``: the never-touch list that it was judged by. Raises Superseded where
    that is not the list any more."""
    if task.dry_run:
        return None if task.account_id else Ending("successful", message="Dry run: the block list was not changed.")
    try:
        said = _block(task, listed) if task.capability == "block" else _unblock(task)
    except Refused as error:
        return Ending("unsuccessful", reason=str(error))
    return None if task.account_id else Ending("successful", message=said)


def _block(task: ResponseTask, listed: Sequence[Rule] | None) -> str:
    days = task.params.get("days")
    with transaction.atomic():
        if listed is not None and not unchanged(listed):
            raise Superseded
        entry, new = actions.add(
            _name(task),
            None if task.run_id else task.created_by,
            _type(task),
            task.target_value,
            reason=_reason(task),
            days=int(days) if days else None,
            reference=_reference(task),
        )
        if changes.LISTED not in task.data:  # a later try finds what the first one listed
            task.data = {**task.data, changes.LISTED: new}
            ResponseTask.objects.filter(pk=task.pk).update(data=task.data)
    return f"{entry.type} {entry.value} is on the block list."[:1000]


def _unblock(task: ResponseTask) -> str:
    if not changes.by_list(changes.undone_of(task)):
        return f"On the block list: {changes.STAYS}"
    user = None if task.run_id else task.created_by
    entry = actions.remove(
        _name(task), user, _type(task), task.target_value, reason=_reason(task), reference=_reference(task)
    )
    return "Taken off the block list." if entry else "It was not on the block list."


def _type(task: ResponseTask) -> str:
    return str(task.target.get("type") or "") or ("sender" if task.target_kind == "sender" else task.target_kind)


def _name(task: ResponseTask) -> str:
    if task.run is not None:
        return task.run.playbook.name
    return task.created_by.display_name() if task.created_by else "Soar"


def _reason(task: ResponseTask) -> str:
    case = f" on ALR-{task.alert_id}" if task.alert_id else ""
    return str(task.params.get("reason") or f"{_name(task)}{case}")[:400]


def _reference(task: ResponseTask) -> str:
    return f"ALR-{task.alert_id}" if task.alert_id else f"INC-{task.incident_id}" if task.incident_id else ""
