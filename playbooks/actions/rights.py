"""Who may do what with playbooks and runs, and fetching a run with its locks."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Forbidden
from cases.models import Alert, Incident
from cases.permissions import holds
from playbooks.announce import Subject, lock_subject
from playbooks.models import Playbook, Run
from playbooks.permissions import playbook_for
from playbooks.selectors import run_for
from soar.accounts.membership import may


def needs(actor: Actor, permission: str, sentence: str) -> None:
    """Raise Forbidden with ``sentence`` if the actor is a person without this permission."""
    if actor.user is not None and not may(actor.user, permission):
        raise Forbidden(sentence)


def works_on(actor: Actor, alert: Alert | None) -> None:
    """Raise Forbidden for a person who may only look at the restricted incident that the alert is in: what response
    playbooks do there is work on it, by connectors too (rulings 20)."""
    if actor.user is None or alert is None or not alert.restricted or alert.incident is None:
        return
    if not holds(actor.user, alert.incident, "edit"):
        raise Forbidden(
            _("You may see %(number)s but not work on it: its incident is restricted.") % {"number": alert.number}
        )


def works_on_case(actor: Actor, alert: Alert | None, incident: Incident | None) -> None:
    """The same for an incident without an alert, too. Asked again under the locks of both, as somebody may restrict the
    incident at this very moment."""
    works_on(actor, alert)
    if actor.user is None or incident is None or not incident.restricted:
        return
    if not holds(actor.user, incident, "edit"):
        raise Forbidden(_("You may see %(number)s but not work on it: it is restricted.") % {"number": incident.number})


def authored(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """The playbook, locked, for somebody who may edit it: by role or by a grant. Raises Missing or Forbidden."""
    row = playbook_for(actor, playbook, "edit")
    return Playbook.objects.select_for_update().get(pk=row.pk)


def locked_run(actor: Actor, run: Run | int | str) -> tuple[Run, Subject | None]:
    """A run that the actor sees and may steer, and its subject, both locked (subject first, as the engine does)."""
    seen = run_for(actor, run.pk if isinstance(run, Run) else run)
    playbook_for(actor, seen.playbook, "run")
    subject = lock_subject(seen)
    locked = (
        Run.objects.select_for_update(of=("self",))
        .select_related("playbook", "version", "sequence", "started_by", "acting_user")
        .get(pk=seen.pk)
    )
    return locked, subject
