"""Rows of runs, finished in Python: rendering is the cost of a list, not its queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cases.models import Alert, Incident
from playbooks.choices import StartedBy
from playbooks.models import Run
from playbooks.views import words
from playbooks.views.parts import subject_url
from soar.lib import parts


@dataclass(frozen=True, slots=True)
class Row:
    """A run as a line of a list."""

    run: Run
    url: str
    playbook: str
    subject: str
    subject_url: str
    title: str
    state: SafeString
    trigger: str
    by: str
    queued: SafeString
    started: SafeString
    took: str
    place: str


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """The rows of these runs (with_row_data), with the titles of what they work on."""
    now = timezone.now()
    alerts = dict(
        Alert.objects.filter(pk__in={run.alert_id for run in runs if run.alert_id}).values_list("pk", "title")
    )
    wanted = {run.incident_id for run in runs if run.incident_id}
    incidents = dict(Incident.objects.filter(pk__in=wanted).values_list("pk", "title")) if wanted else {}
    return [
        Row(
            run=run,
            url=reverse("run-detail", args=[run.pk]),
            playbook=run.playbook.name,
            subject=words.subject_number(run),
            subject_url=subject_url(run),
            title=alerts.get(run.alert_id or 0, "") or incidents.get(run.incident_id or 0, ""),
            state=parts.state(run.status, running=True),
            trigger=_(str(StartedBy(run.trigger).label)),
            by=run.started_by.display_name() if run.started_by else "",
            queued=parts.ago(run.queued_at, now),
            started=parts.clock(run.started_at),
            took=words.took(run.started_at, run.finished_at, now),
            place=place_of(run),
        )
        for run in runs
    ]


def place_of(run: Run) -> str:
    """ "2 of 3" in a sequence of several; else nothing."""
    if run.sequence is None or run.sequence.total < 2:
        return ""
    return _("%(position)d of %(total)d") % {"position": run.position, "total": run.sequence.total}
