"""What follows on a response task: again, the inverse, what was collected (spec 17, 17a)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict
from cases.models import Alert, Incident
from playbooks.actions.response_plan import MAY_NOT, plan
from playbooks.actions.responses import Case, announce, case_of, make
from playbooks.actions.rights import needs
from playbooks.choices import TASK_OPEN, Outcome, TaskStatus
from playbooks.models import ResponseTask
from playbooks.response import changes, tasks
from playbooks.response.done_before import NOT_UNDONE
from playbooks.response.locking import hold_case, together
from playbooks.response_selectors import task_for
from playbooks.steps import routing
from playbooks.steps.calls import LEFT, acted
from playbooks.steps.params import TEXT, not_brought
from soar.accounts import audit
from soar.connectors import registry
from soar.connectors.capabilities import CAPABILITIES, Collected
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.connectors.responder import Responder

AGAIN = "again"  # in a task's data: the one that does it once more
COLLECT = "collect_file"


def resend(actor: Actor, task_id: int | str) -> ResponseTask:
    """A queued task is done as soon as possible; one that failed is done again as a new task, by the rules of now.

    Raises Missing, Forbidden, Refused, Conflict for a task that is under way, over in another way, or done again
    just now."""
    task = response_task(actor, task_id)
    if task.status == TaskStatus.QUEUED:
        with transaction.atomic():
            rung = ResponseTask.objects.filter(pk=task.pk, status=TaskStatus.QUEUED).update(due_at=task.created_at)
            tasks.ring(rung)
        return task_for(actor, task.pk)
    _check_failed(task)
    if not task.capability or not task.target_kind:
        raise Conflict(_("It belongs to its run: retry the run instead."))
    case = case_of_task(task)
    if task.inverse_of is not None:
        return _inverse(actor, task.inverse_of, case)
    return together(lambda: _sent_again(actor, task.pk, case))


def _sent_again(actor: Actor, pk: int, case: Case) -> ResponseTask:
    """The new task, unless somebody else has just made one: two at once are one."""
    hold_case(case.alert.pk if case.alert else None, case.incident.pk if case.incident else None)
    row = ResponseTask.objects.select_for_update(of=("self",)).get(pk=pk)
    _check_failed(row)
    open_one = ResponseTask.objects.filter(pk=row.data.get(AGAIN) or 0, status__in=TASK_OPEN).first()
    if open_one is not None:
        raise Conflict(
            _("It is done again already, by task %(open_one_pk)s (%(label)s).")
            % {"open_one_pk": open_one.pk, "label": _(str(open_one.state.label)).lower()}
        )
    if why := not_brought(row):
        raise Conflict(_("%(why)s Or respond by hand, if the script is meant as it is now.") % {"why": why})
    params = {name: value for name, value in row.params.items() if name not in ("reason", TEXT)}
    made = make(actor, case, plan(actor, row.action, [row.target], params), str(row.params.get("reason") or ""))[0]
    row.data = {**row.data, AGAIN: made.pk}
    row.save(update_fields=["data"])
    return made


def _check_failed(task: ResponseTask) -> None:
    if task.status not in (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED):
        raise Conflict(
            _("This task is %(label)s: only queued and failed ones are sent again.")
            % {"label": _(str(task.state.label)).lower()}
        )


def inverse(actor: Actor, task_id: int | str) -> ResponseTask:
    """Undo what a task did: restore the connection, enable the account, and so on (spec 17).

    Raises Missing, Forbidden, Conflict for a task that did nothing, found it so already, has no inverse, or was undone
    already."""
    task = response_task(actor, task_id)
    return _inverse(actor, task, case_of_task(task))


def _inverse(actor: Actor, task: ResponseTask, case: Case) -> ResponseTask:
    def write() -> ResponseTask:
        hold_case(case.alert.pk if case.alert else None, case.incident.pk if case.incident else None)
        row = ResponseTask.objects.select_for_update(of=("self",)).select_related("account").get(pk=task.pk)
        made = tasks.draft(
            action=undo_of(row),
            cause=row.cause,
            target=row.target,
            params={"undoes": row.data} if row.data else {},
            alert=case.alert,
            incident=case.incident,
            account=_undoing(actor, row),
            inverse_of=row,
            origin="task",
            created_by=actor.user,
            acting_user=actor.user,
        )
        saved = tasks.create([made])
        announce(actor, case, "response.requested", saved)
        return saved[0]

    return together(write)


def undo_of(task: ResponseTask) -> str:
    """The capability that undoes this task. Raises Conflict when there is none, or nothing to undo."""
    what = CAPABILITIES.get(task.capability)
    if what is None or not what.inverse:
        raise Conflict(_("This cannot be undone."))
    if task.status not in (TaskStatus.SUCCESSFUL, TaskStatus.UNKNOWN_OUTCOME) and not _half_done(task):
        raise Conflict(
            _("This task is %(label)s: there is nothing to undo.") % {"label": _(str(task.state.label)).lower()}
        )
    if not changes.anything(task):
        raise Conflict(_(changes.STAYS))
    done = task.inverses.exclude(status__in=NOT_UNDONE).order_by("-pk").first()
    if done is not None:
        raise Conflict(
            _("It is undone already, by task %(done_pk)s (%(label)s).")
            % {"done_pk": done.pk, "label": _(str(done.state.label)).lower()}
        )
    return what.inverse


def _half_done(task: ResponseTask) -> bool:
    """Whether a task that failed or was cancelled may have done something, and nobody has said that it did not."""
    if task.status not in (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED):
        return False
    return (task.decision or {}).get("outcome") != Outcome.NOT_DONE and (LEFT in task.data or acted(task))


def _undoing(actor: Actor, task: ResponseTask) -> ConnectorAccount | None:
    """The account that did it, or None for what our own block list did. Raises Conflict."""
    what = CAPABILITIES[task.capability].inverse
    if task.account_id is None:
        if what == "unblock":
            return None
        raise Conflict(_("The connector that did it is gone."))
    able = {account.pk: account for account in routing.serving(what, actor.user)}
    if task.account_id not in able:
        name = task.account.name if task.account else ""
        raise Conflict(
            _("%(name)s is disabled, not for you to use, or cannot do “%(label)s”.")
            % {"name": name, "label": _(CAPABILITIES[what].label)}
        )
    return able[task.account_id]


def response_task(actor: Actor, task_id: int | str) -> ResponseTask:
    """The task, for somebody who may respond on its case."""
    task = task_for(actor, task_id)
    needs(actor, "respond", _(MAY_NOT))
    case_of(actor, alert=task.alert_id, incident=None if task.alert_id else task.incident_id)
    return task


def case_of_task(task: ResponseTask) -> Case:
    """What the follow-ups of a task are about: the same."""
    alert = Alert.objects.select_related("source").filter(pk=task.alert_id).first() if task.alert_id else None
    incident = Incident.objects.filter(pk=task.incident_id).first() if task.incident_id and not alert else None
    return Case("task", alert, incident)


def reveal(actor: Actor, task_id: int | str) -> dict[str, str]:
    """The secret of what was collected: where it lies, the archive's password. Audited each time (spec 17a).

    Raises Missing, Forbidden, Conflict for a task without one, or while the product does not say where it lies now."""
    task = response_task(actor, task_id)
    secret = {str(name): str(value) for name, value in (task.secret or {}).items()}
    if not secret:
        raise Conflict(_("This task has nothing to show."))
    secret = _of_now(task, secret)
    audit.record(actor.user, "response.secret_shown", f"task {task.pk}", names=sorted(secret))
    return secret


def collected(actor: Actor, task_id: int | str) -> Collected:
    """The file that was collected, from the product that has it. Audited each time (spec 17a).

    Raises Missing, Forbidden, Conflict for a task without one, or when the product does not hand it over."""
    task = response_task(actor, task_id)
    account = task.account
    if task.capability != COLLECT or not task.secret or account is None:
        raise Conflict(_("This task has no file."))
    if account.removed_at is not None or not account.enabled:
        raise Conflict(
            _("The connector %(name)s, which has the file, is not in use any more.") % {"name": account.name}
        )
    try:
        connector = registry.of(account, cause=task.cause)
        assert isinstance(connector, Responder)
        file = connector.collected(task.reference, task.data, task.secret)
    except ConnectorError as error:
        raise Conflict(_("The file cannot be had now: %(message)s") % {"message": error.message}) from None
    audit.record(actor.user, "response.file_downloaded", f"task {task.pk}", name=file.name, size=len(file.content))
    return file


def _of_now(task: ResponseTask, secret: dict[str, str]) -> dict[str, str]:
    """The secret as it is now: a link may have run out. Of an account that is not in use any more, as it was kept."""
    account = task.account
    if account is None or account.removed_at is not None or not account.enabled:
        return secret
    try:
        connector = registry.of(account, cause=task.cause)
        assert isinstance(connector, Responder)
        return connector.revealed(task.capability, task.reference, secret)
    except ConnectorError as error:
        raise Conflict(_("It cannot be shown now: %(message)s") % {"message": error.message}) from None
