"""One playbook on many alerts that were ticked. Each alert is its own transaction: one refusal stops no other."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Refused
from playbooks.actions.runs import run_by_hand
from playbooks.models import Playbook, Run
from playbooks.permissions import playbook_for

AT_MOST = 200  # in one request: each run is written and queued by itself


def run_on_each(
    actor: Actor, playbook: str | int, alerts: Sequence[int], *, dry_run: bool = False
) -> tuple[Playbook, list[Run], list[tuple[str, str]]]:
    """Queue a run of the playbook on each of the alerts (ids), with the actor's rights.

    Returns the playbook, the runs, and what was refused: (number, message). Raises Forbidden without the permission,
    Missing for an unknown playbook, Conflict for one that starts nothing, Refused for none or too many alerts."""
    row = startable(actor, playbook)
    wanted = list(dict.fromkeys(alerts))
    if not wanted:
        raise Refused(_("Tick some alerts first."), field="alerts")
    if len(wanted) > AT_MOST:
        raise Refused(_("At most %(at_most)s alerts at once.") % {"at_most": AT_MOST}, field="alerts")
    runs, refused = [], []
    for pk in wanted:
        try:
            runs.append(run_by_hand(actor, row, alert=pk, dry_run=dry_run))
        except Forbidden:
            raise
        except CaseError as error:
            refused.append((f"ALR-{pk}", error.message))
    return row, runs, refused


def startable(actor: Actor, playbook: str | int) -> Playbook:
    """The playbook, if the actor may start it now. Raises Forbidden, Missing and Conflict as ``run_on_each``."""
    row = playbook_for(actor, playbook, "run")
    if row.hindrance:
        raise Conflict(_("%(name)s starts nothing. %(hindrance)s") % {"name": row.name, "hindrance": row.hindrance})
    return row
