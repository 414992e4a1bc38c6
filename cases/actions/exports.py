"""Taking an incident out: at once, or as a job that a worker does (casework.md 16). Each export is written down."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.evidence_access import note
from cases.actors import Actor
from cases.errors import Conflict, Missing
from cases.models import Evidence, ExportJob, ExportStatus, Incident
from cases.querysets import inside
from cases.reporting import store
from cases.reporting.context import tlp_label
from cases.reporting.document import document, exportable
from cases.reporting.formats import Format, format_named
from cases.reporting.options import Options
from cases.reporting.templates import template_named
from soar.accounts import audit
from soar.accounts.membership import asked_within
from soar.accounts.models import User
from soar.lib import clock
from soar.lib.queue import enqueue

TASK = "cases.tasks.export_incident"
AT_ONCE = 5  # unfinished jobs of one person
UNFIT = re.compile(r"[^A-Za-z0-9._+-]+")
RUNNING = (ExportStatus.QUEUED, ExportStatus.IN_PROGRESS)


@dataclass(frozen=True, slots=True)
class Made:
    """A finished export."""

    content: bytes
    name: str
    format: Format
    sha256: str


def checked(user: User, number: str | int, format: str, options: Options) -> Format:
    """The format, if this person may export this incident so. Raises Missing, Forbidden, Refused."""
    incident = exportable(user, number)
    wanted = format_named(format)
    if wanted.templated:
        template_named(options.template)
    options.check(incident)
    return wanted


def at_once(user: User, number: str | int, format: str, options: Options) -> Made:
    """The export, here and now. Raises as ``checked`` does, and what the format refuses."""
    wanted = checked(user, number, format, options)
    read = document(user, number, options, raw=wanted.payloads)
    content = b"".join(pieces_of(wanted.render(read)))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        written_down(user, read, wanted, len(content), digest)
    return Made(content, file_name(read, wanted), wanted, digest)


@transaction.atomic
def start(user: User, number: str | int, format: str, options: Options) -> ExportJob:
    """Queue the export. One of the same that is under way is given again, so asking twice makes one.

    Raises as ``checked`` does, and Conflict beyond five at the same time."""
    wanted = checked(user, number, format, options)
    incident = exportable(user, number)
    User.objects.select_for_update(of=("self",)).only("pk").get(pk=user.pk)  # who asks twice waits for themselves
    mine = ExportJob.objects.filter(user=user, status__in=RUNNING)
    same = mine.filter(asked_within(user), incident=incident, format=wanted.name, options=options.as_dict()).first()
    if same is not None:
        return same
    if mine.count() >= AT_ONCE:
        raise Conflict(
            _("%(at_once)s exports of yours are under way. Wait for one of them, or cancel it.") % {"at_once": AT_ONCE}
        )
    scopes = None if user.token_scopes is None else sorted(user.token_scopes)
    job = ExportJob.objects.create(
        user=user, scopes=scopes, incident=incident, format=wanted.name, options=options.as_dict()
    )
    enqueue(TASK, job.pk)
    job.refresh_from_db()
    return job


def all_own(user: User) -> QuerySet[ExportJob]:
    """The exports of this person. Whoever looks as them is told of none whose incident they do not see themselves."""
    rows = ExportJob.objects.filter(asked_within(user), user=user)
    return rows if user.viewer is None else rows.filter(inside("incident", user))


def own(user: User, job_id: int, *, lock: bool = False) -> ExportJob:
    """An export of this person. Raises Missing for any other."""
    rows = all_own(user).filter(pk=job_id)
    job = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if job is None:
        raise Missing(_("There is no such export of yours."))
    return job


@transaction.atomic
def cancel(user: User, job_id: int) -> ExportJob:
    """Stop an export; the worker at it notices soon. Raises Missing, and Conflict for one that has ended."""
    job = own(user, job_id, lock=True)
    if job.is_over:
        raise Conflict(_("This has ended already."))
    job.status, job.finished_at = ExportStatus.CANCELLED, clock.now()
    job.save(update_fields=["status", "finished_at"])
    return job


def download(user: User, job_id: int) -> tuple[ExportJob, BinaryIO]:
    """The file of a finished export, open, for whoever asked for it and may still export that incident.

    Raises Missing, Forbidden, and Conflict for one that is not ready or whose day is over."""
    job = own(user, job_id)
    exportable(user, job.incident_id)
    if not job.is_over:
        raise Conflict(_("The export is not ready yet."), code="not_ready")
    file = store.open_file(job.file, job.size or 0) if job.file else None
    if file is None or (job.expires_at and job.expires_at <= clock.now()):
        if file is not None:
            file.close()
        why = _("It was kept for a day.") if job.status == ExportStatus.SUCCESSFUL else job.message
        raise Conflict((_("There is no file of this export. %(why)s") % {"why": why}).strip(), code="gone")
    audit.exported(user, "download", f"INC-{job.incident_id}", job=job.pk, format=job.format, sha256=job.sha256)
    return job, file


def written_down(user: User, read: dict[str, Any], format: Format, size: int, sha256: str) -> None:
    """The entry on the timeline and the row of the audit log, in the caller's transaction."""
    pk = int(read["incident"]["id"])
    incident = Incident.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if incident is None:
        raise Missing(_("The incident is gone."))
    facts = {"format": format.name, "tlp": tlp_label(read["tlp"]), "size": size, "sha256": sha256}
    if format.templated:
        facts["template"] = read["options"]["template"]
    timeline.record("incident.exported", incident, Actor.of(user), data=facts)
    if format.files:
        handed_out = {one["id"] for one in read["evidence"] if not one["removed_at"]}
        for piece in Evidence.objects.filter(incident=incident, pk__in=handed_out).order_by("pk"):
            note(Actor.of(user), piece, "downloaded")
    audit.exported(user, "incident", incident.number, **facts, options=read["options"])


def file_name(read: dict[str, Any], format: Format) -> str:
    """``INC-1042_TLP-AMBER_2026-03-12.pdf``: nothing in it comes from anybody's text."""
    mark = UNFIT.sub("-", tlp_label(read["tlp"]))
    return f"INC-{int(read['incident']['id'])}_{mark}_{read['generated_at'][:10]}.{format.extension}"


def pieces_of(rendered: bytes | Iterable[bytes]) -> Iterable[bytes]:
    """What a format gives, as pieces."""
    return [rendered] if isinstance(rendered, bytes) else rendered
