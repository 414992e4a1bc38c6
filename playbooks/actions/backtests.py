"""Starting and cancelling backtests (response-playbooks.md 30). Whoever writes playbooks may try them on the past."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from playbooks.actions.graphs import draft_of, drawn
from playbooks.backtest.working import OPEN, TASK
from playbooks.choices import JobStatus
from playbooks.graph.check_shape import shape_problems
from playbooks.graph.schema import write
from playbooks.models import Backtest, Playbook
from playbooks.permissions import playbook_for
from soar.accounts import audit
from soar.accounts.membership import asked_within, may, scopes_of
from soar.accounts.models import User
from soar.lib.queue import enqueue

MOST_DAYS = 365


@transaction.atomic
def start(actor: Actor, playbook: Playbook | str | int, *, days: int = 30) -> Backtest:
    """Queue a backtest of the draft on the alerts of the last days that the actor may see.

    Raises Forbidden, Refused for days out of range or a graph that cannot be walked, Conflict while one is running."""
    row = drawn(actor, playbook)
    if actor.user is None:
        raise Refused(_("A backtest needs a person: it looks only at alerts that this person may see."))
    if not 1 <= days <= MOST_DAYS:
        raise Refused(_("A backtest looks at 1 to %d days.") % MOST_DAYS, field="days")
    graph = draft_of(row)
    if wrong := [one for one in shape_problems(graph) if one.node]:
        raise Refused(_("The graph cannot be walked yet: %s") % wrong[0].message)
    if Backtest.objects.filter(playbook=row, started_by=actor.user, status__in=OPEN).exists():
        raise Conflict(_("A backtest of this playbook is running. Stop it first."))
    scopes = scopes_of(actor.user)
    made = Backtest.objects.create(playbook=row, graph=write(graph), days=days, started_by=actor.user, scopes=scopes)
    made.refresh_from_db()
    audit.record(actor.user, "playbook.backtested", row.name, days=days)
    enqueue(TASK, made.pk)
    return made


@transaction.atomic
def cancel(actor: Actor, pk: int) -> Backtest:
    """Stop a backtest between two pieces; what was counted stays. Nothing happens to one that is over."""
    seen = visible(actor.user, pk)
    playbook_for(actor, seen.playbook, "edit")
    row = Backtest.objects.select_for_update(of=("self",)).filter(pk=seen.pk).get()
    if row.status not in OPEN:
        return row
    row.cancel_requested = True
    row.save(update_fields=["cancel_requested"])
    if row.status == JobStatus.QUEUED:
        enqueue(TASK, row.pk)
    return row


def visible(user: User | None, pk: int) -> Backtest:
    """The backtest, for who started it alone: it counts, and names, what that person may see, and the token they asked
    with. Whoever looks at the portal as them may see less, so they see none. Raises Missing."""
    rows = Backtest.objects.select_related("playbook", "started_by")
    if user is not None:
        rows = rows.filter(asked_within(user), started_by=user)
    found = rows.filter(pk=pk).first() if pk < 2**63 else None
    if found is None or (user is not None and (user.viewer is not None or not may(user, "view_cases"))):
        raise Missing(_("There is no backtest %s.") % str(pk)[:20])
    return found
