"""The guided path from an empty portal to a first handled incident (interface.md 8): how far it was gone.

Nothing is ticked by hand: what was done is seen in the data. Demo data do not count."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Exists
from django.utils.module_loading import import_string

from cases.models import Alert, AlertSource, Incident
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.accounts.portal import FIRST_STEPS


@dataclass(frozen=True, slots=True)
class Steps:
    """What there is of each step, None where it was not done. ``run``: name of the playbook and address of its run."""

    source: AlertSource | None = None
    alert: Alert | None = None
    run: tuple[str, str] | None = None
    incident: Incident | None = None

    @property
    def done(self) -> int:
        """How many of the four."""
        return sum(one is not None for one in (self.source, self.alert, self.run, self.incident))

    @property
    def current(self) -> int:
        """The first that was not done, from 1; 5 when all were."""
        found = (self.source, self.alert, self.run, self.incident)
        return next((number for number, one in enumerate(found, 1) if one is None), 5)


def steps(user: User) -> Steps:
    """How far the path was gone, as far as the person may see it."""
    source = AlertSource.objects.filter(demo=False).order_by("pk").first()
    if source is None:
        return Steps()
    alerts = Alert.objects.visible_to(user).filter(source__demo=False)
    alert = alerts.only("title", "hostname", "observable_count", "received_at", "source").order_by("pk").first()
    if alert is None:
        return Steps(source)
    run = import_string(settings.FIRST_RUN)(user)
    incident = Incident.objects.visible_to(user).filter(demo=False, alert_count__gt=0).order_by("pk").first()
    return Steps(source, alert, run, incident)


def offered(user: User) -> bool:
    """Whether the dashboard names the path: to whoever may add sources, until it is gone or hidden."""
    return may(user, "manage_sources") and not _over(user)


def _over(user: User) -> bool:
    """Whether it is hidden, or all four are done: ``steps`` without the things, in two queries. The dashboard
    asks it every time."""
    alerts = Alert.objects.visible_to(user).filter(source__demo=False)
    incidents = Incident.objects.visible_to(user).filter(demo=False, alert_count__gt=0)
    there = Exists(AlertSource.objects.filter(Exists(alerts), Exists(incidents), demo=False))
    found = User.objects.filter(pk=user.pk).values_list(FIRST_STEPS.switched_off(), there).first()
    hidden, there_is = found or (True, False)
    return hidden or (there_is and import_string(settings.FIRST_RUN)(user) is not None)
