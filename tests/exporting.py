"""Exports for tests: an incident with something of everything, people who may export it, a store of their own."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

from django.utils import timezone
from pypdf import PdfReader

from cases.actions import export_work, incidents, observables, tasks
from cases.actors import Actor
from cases.models import ExportJob, Incident
from soar.accounts.models import Team, User
from tests.api import Api
from tests.evidence_files import keep
from tests.factories import make_alert, make_incident, make_user

SYSTEM = Actor.system()


def auditor(name: str = "audra") -> User:
    """Reads all teams and exports; changes nothing (rulings 20)."""
    return make_user(name, "Auditor", first_name="Audra", last_name="Nyberg")


def whole_incident(team: Team | None = None, **fields: Any) -> Incident:
    """An incident with alerts, observables, a task, evidence, a note and a change of status."""
    seen = (("ip", "203.0.113.7"), ("domain", "evil.example.net"))
    first = make_alert("Beacon from FIN-LT-0231", team=team, observables=seen, hostname="FIN-LT-0231")
    second = make_alert("Sign-in from afar", team=team, observables=seen[:1])
    incident = make_incident("Beaconing host", first, second, team=team, **fields)
    incidents.update(SYSTEM, incident.pk, changes={"summary": "A **host** beacons."})
    observables.add_to_incident(SYSTEM, incident.pk, "url", "https://evil.example.net/path")
    due = timezone.now() + timedelta(days=1)
    tasks.add(SYSTEM, incident.pk, title="Isolate the host", due_at=due)
    keep(incident, "invoice.eml", tlp="amber")
    incidents.comment(SYSTEM, incident.pk, "It spoke to **evil.example.net** at nine.")
    incidents.set_status(SYSTEM, incident.pk, "in_progress", reason="Somebody looks")
    incident.refresh_from_db()
    return incident


def export(user: User, incident: Incident, format: str, **params: Any) -> Any:
    """The answer to the call."""
    return Api(user).get(f"/incidents/{incident.number}/export/", format=format, **params)


def worked(user: User, incident: Incident, format: str, **params: Any) -> ExportJob:
    """A job that was asked for and worked off."""
    answer = export(user, incident, format, **params)
    assert answer.status_code == 202, answer.content
    export_work.work(answer.json()["job"])
    return ExportJob.objects.get(pk=answer.json()["job"])


def file_of(user: User, job: ExportJob) -> bytes:
    """What the download gives."""
    answer = Api(user).get(f"/exports/{job.pk}/file/")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def text_of_pdf(content: bytes) -> list[str]:
    """The text of each page."""
    return [page.extract_text() for page in PdfReader(BytesIO(content)).pages]
