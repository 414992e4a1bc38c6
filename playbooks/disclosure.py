"""What of a run's record a reader may be shown (access.md 4).

A playbook reads with its publisher's rights (rulings 8), which may reach further than those of somebody who sees the
run: what it was told of another team's incident stands in its record. So a run whose record names an alert or an
incident that the reader may not see keeps all of its values from them: arguments, answers, errors, the result. That
all go, and not only those that name it, is because later calls are made from what earlier ones answered. Which calls
were made, when, and how they ended is shown to everybody who sees the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from cases.models import Incident
from cases.numbers_hidden import hidden, names_hidden
from playbooks.models import Approval, ResponseTask, Run, Step
from soar.accounts.models import User

# A task's words and the condition are those of the index rtask_named, letter by letter: only the tasks that name any
# alert or incident are read, of the thousands that a run may have.
_TASK = "(reason || ' ' || message || ' ' || data::text || ' ' || coalesce(answer::text, ''))"
NAMED = f"""
SELECT DISTINCT run_id, upper((regexp_matches(words, '(?:ALR|INC)-[0-9]{{1,18}}', 'gi'))[1]) FROM (
    SELECT run_id, concat_ws(' ', arguments::text, result::text, error) AS words
    FROM playbooks_step WHERE run_id = ANY(%(runs)s)
    UNION ALL
    SELECT id, concat_ws(' ', result::text, error, traceback, report::text) FROM playbooks_run
    WHERE id = ANY(%(runs)s)
    UNION ALL
    SELECT run_id, {_TASK} FROM playbooks_responsetask
    WHERE run_id = ANY(%(runs)s) AND {_TASK} ~* '(ALR|INC)-[0-9]'
) AS record"""  # noqa: S608  our own words


def withhold(
    user: User | None, runs: Sequence[Run], steps: Iterable[Step] = (), tasks: Iterable[ResponseTask] = ()
) -> None:
    """Take the values out of the runs, and of those of their ``steps`` and ``tasks`` that are given, as they are in
    memory, where ``user`` may not see all that the record names: the record of the run whose part a step or task is,
    also if that run is not among those given. ``withheld`` of runs and tasks then says so. None is the system:
    it sees all."""
    tasks, steps = list(tasks), list(steps)
    own = {run.pk for run in runs} | {step.run_id for step in steps}
    closed = _closed(user, sorted(own | {task.run_id for task in tasks if task.run_id is not None}))
    for run in runs:
        run.withheld = run.pk in closed
        if run.withheld:
            run.result, run.error, run.traceback, run.report = None, "", "", None
    for step in steps:
        if step.run_id in closed:
            step.arguments, step.result, step.error = {}, None, ""
    for task in tasks:
        if task.run_id in closed:
            task.reason, task.message, task.params, task.answer, task.data = "", "", {}, None, {}
            task.request, task.withheld = None, True


def withhold_words(user: User, approvals: Sequence[Approval]) -> bool:
    """Take what is asked, and why, out of approvals, as they are in memory, whose words name an alert or incident that
    the user may not see: playbooks write them, which may see more. Whether something was taken out."""
    closed = names_hidden(user, [f"{one.title} {one.question} {one.reason}" for one in approvals])
    for one, withheld in zip(approvals, closed, strict=True):
        if withheld:
            one.title, one.question, one.reason = f"AP-{one.pk}", "", ""
    return any(closed)


def unname_incidents(user: User | None, rows: Iterable[Approval | ResponseTask]) -> None:
    """Take the incident out of rows, as they are in memory, that are seen by their alert while the user may not see the
    incident that the alert was in."""
    by_alert = [row for row in rows if row.alert_id and row.incident_id]
    ids = [row.incident_id for row in by_alert if row.incident_id]
    if user is None or not ids:
        return
    seen = set(Incident.objects.filter(pk__in=ids).visible_to(user).order_by().values_list("pk", flat=True))
    for row in by_alert:
        if row.incident_id not in seen:
            row.incident_id = None


def _closed(user: User | None, runs: list[int]) -> set[int]:
    """Those of the runs whose record names what the person may not see."""
    if user is None or not runs:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(NAMED, {"runs": runs})
        named: list[tuple[int, str]] = cursor.fetchall()
    unseen = hidden(user, {number for _run, number in named})
    return {run for run, number in named if number in unseen}
