"""Locks in one order for everybody: the incident, the alert, the run; tasks and approvals after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import OperationalError, transaction

from cases.actors import Actor
from cases.alert_rows import locked_alert
from cases.merged import locked_end
from cases.models import Alert, Incident
from playbooks.announce import actor_of
from playbooks.models import Playbook, PlaybookVersion, Run
from soar.lib import rows
from soar.lib.context import know
from soar.lib.database import prepared

T = TypeVar("T")
TRIES = 5
SUBJECTS = (
    "SELECT r.alert_id, r.incident_id, a.incident_id FROM playbooks_run r"
    " LEFT JOIN cases_alert a ON a.id = r.alert_id WHERE r.id = %s"
)
_NOT_OF_PLAYBOOK = frozenset({"draft"})
_NOT_OF_VERSION = frozenset({"definition", "source"})
_PLAYBOOK_AT = rows.width(Run)
_VERSION_AT = _PLAYBOOK_AT + rows.width(Playbook, _NOT_OF_PLAYBOOK)
RUN = f"""
SELECT {rows.columns(Run, "r")}, {rows.columns(Playbook, "p", _NOT_OF_PLAYBOOK)},
    {rows.columns(PlaybookVersion, "v", _NOT_OF_VERSION)}
FROM playbooks_run r JOIN playbooks_playbook p ON p.id = r.playbook_id
LEFT JOIN playbooks_playbookversion v ON v.id = r.version_id WHERE r.id = %s FOR UPDATE OF r"""  # noqa: S608  our own names
_AGAIN = ("40001", "40P01")  # serialisation failure, deadlock: nothing happened


class Moved(Exception):
    """The alert was linked to another incident while its lock was waited for."""


@dataclass(slots=True)
class Held:
    """A run and what it works on, all locked. ``incident``: the run's, or the one its alert is in."""

    run: Run
    alert: Alert | None
    incident: Incident | None
    named: list[tuple[str, str, str, bool]] | None = None  # the alert's observables, once they were read

    @property
    def actor(self) -> Actor:
        """The playbook, with the rights of whoever the run acts for (rulings 8)."""
        return actor_of(self.run)

    @property
    def subjects(self) -> list[Alert | Incident]:
        """Whose timelines tell of the run (response-playbooks.md 8)."""
        return [one for one in (self.alert, self.incident) if one is not None]


def together(function: Callable[[], T]) -> T:
    """Run ``function`` in a transaction, again if the database or a moved alert demands it: nothing of it happened."""
    for left in range(TRIES - 1, -1, -1):
        try:
            with transaction.atomic():
                return function()
        except Moved:
            if not left:
                raise
        except OperationalError as error:
            if not left or getattr(error.__cause__, "sqlstate", "") not in _AGAIN:
                raise
    raise AssertionError("the last try returns or raises")


def hold(run_id: int) -> Held | None:
    """The run with its locks, in a transaction of the caller (``together``). None if it is gone. Raises Moved."""
    with prepared() as cursor:
        found = cursor.execute(SUBJECTS, [run_id], prepare=True).fetchone()
    if found is None:
        return None
    alert_id, own, of_alert = found
    incident = _incident(own or of_alert)
    alert = _alert(alert_id, of_alert)
    run = _run(run_id)
    if run is None:
        return None
    know(run.cause)
    return Held(run, alert, incident)


def hold_case(alert_id: int | None, incident_id: int | None) -> tuple[Alert | None, Incident | None]:
    """The same locks for tasks that people made by hand, which have no run. Raises Moved."""
    of_alert = Alert.objects.filter(pk=alert_id).values_list("incident_id", flat=True).first() if alert_id else None
    incident = _incident(incident_id or of_alert)
    return _alert(alert_id, of_alert), incident


def _run(pk: int) -> Run | None:
    """The run with its row lock, its playbook and its version."""
    with prepared() as cursor:
        row = cursor.execute(RUN, [pk], prepare=True).fetchone()
    if row is None:
        return None
    run = rows.made(Run, row[:_PLAYBOOK_AT])
    run.playbook = rows.made(Playbook, row[_PLAYBOOK_AT:_VERSION_AT], _NOT_OF_PLAYBOOK)
    if run.version_id is not None:
        run.version = rows.made(PlaybookVersion, row[_VERSION_AT:], _NOT_OF_VERSION)
    return run


def _incident(pk: int | None) -> Incident | None:
    """The incident, or the one that it was merged into while the row was being read."""
    return locked_end(pk) if pk else None


def _alert(pk: int | None, expected: int | None) -> Alert | None:
    if pk is None:
        return None
    alert = locked_alert(pk)
    if alert is not None and alert.incident_id != expected:
        raise Moved
    return alert
