"""What entries of the timeline give to do: tickets by the rules of profiles, changes, notes, files (3, 4).

Nothing goes round in circles: what came from ServiceNow is not considered. Twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.db.models import Max

from cases.actions import incidents
from cases.actors import Actor
from cases.choices import AlertStatus, IncidentStatus
from cases.errors import CaseError, Conflict
from cases.models import Alert, Evidence, Incident, LinkState, TicketLink, TicketProfile, TimelineEntry
from cases.servicenow import linking, outbox
from cases.servicenow.mapping import ProfileRules
from cases.servicenow.reader import CHANGING, OPENING

FIELDS = ("title", "severity", "status", "determination", "findings", "team", "resolve_reason", "summary", "tags")
OVERTAKEN = timedelta(hours=1)  # so long an entry may wait in the queue and still be told before later ones
REPEATED = "An alert was linked to the incident after it had ended"


def consider(entry_ids: Iterable[int]) -> None:
    """Look at these entries of timelines."""
    rows = TimelineEntry.objects.filter(pk__in=list(entry_ids), incident__isnull=False)
    entries = list(rows.exclude(actor_type=linking.ACTOR_TYPE).order_by("pk"))
    if not entries:
        return
    profiles = _automatic()
    links = _links({entry.incident_id for entry in entries if entry.incident_id})
    for entry in entries:
        if profiles and _may_open(entry):
            _open(entry, profiles)
        for link in links.get(entry.incident_id or 0, ()):
            _tell(entry, link)


def _automatic() -> list[TicketProfile]:
    rows = TicketProfile.objects.filter(enabled=True, automatic=True).select_related("instance")
    return list(rows.prefetch_related("templates", "sources").order_by("order", "pk"))


def _links(incident_ids: set[int]) -> dict[int, list[TicketLink]]:
    rows = TicketLink.objects.filter(incident__in=incident_ids, state__in=(*outbox.WORKING, LinkState.BROKEN))
    found: dict[int, list[TicketLink]] = {}
    for link in rows.select_related("profile", "instance").order_by("pk"):
        found.setdefault(link.incident_id, []).append(link)
    return found


def _may_open(entry: TimelineEntry) -> bool:
    if entry.kind == "changed":
        return bool(entry.data.get("field") == "severity")
    return entry.kind in OPENING


@transaction.atomic
def _open(entry: TimelineEntry, profiles: list[TicketProfile]) -> None:
    """By the first profile of each instance and table whose rule fits. An incident that had a ticket there keeps what
    people made of that: it gets no other one by itself."""
    incident = Incident.objects.select_for_update(of=("self",)).filter(pk=entry.incident_id or 0).first()
    if incident is None or not IncidentStatus(incident.status).is_open:
        return
    had = set(TicketLink.objects.filter(incident=incident).values_list("instance", "table"))
    for profile in profiles:
        place = (profile.instance_id, profile.table)
        if place not in had and fits(profile, incident):
            had.add(place)
            try:
                linking.open_ticket(incident, profile, Actor.system(), entry.cause)
            except Conflict:
                continue


def fits(profile: TicketProfile, incident: Incident) -> bool:
    """Whether the profile's rule says that the incident gets a ticket: all that is given must fit."""
    if profile.severities and incident.severity not in profile.severities:
        return False
    templates = {one.pk for one in profile.templates.all()}
    if templates and incident.template_id not in templates:
        return False
    sources = [one.pk for one in profile.sources.all()]
    return not sources or Alert.objects.filter(incident=incident, source__in=sources).exists()


def _tell(entry: TimelineEntry, link: TicketLink) -> None:
    rules = ProfileRules.of(link.profile)
    changes = entry.kind in CHANGING and (entry.kind != "changed" or entry.data.get("field") in FIELDS)
    with transaction.atomic():
        if entry.kind == "incident.alert_linked" and _repeated(entry, link):
            return
        told = False
        if changes:
            outbox.add(link, outbox.FIELDS, cause=entry.cause)
            told = True
        if entry.kind in link.profile.note_kinds and rules.sends("notes") and not _of_event(entry):
            _note(entry, link)
            told = True
        if entry.kind == "evidence.added" and link.profile.send_evidence:
            told = _attach(entry, link) or told
        if told and link.state != LinkState.BROKEN:
            outbox.ring_link(link.pk)


def _of_event(entry: TimelineEntry) -> bool:
    """Whether it corrects an event made by hand: those are not told, so neither is what was wrong with one."""
    of = entry.data.get("of") if entry.kind == "comment.edited" else None
    return isinstance(of, int) and TimelineEntry.objects.filter(pk=of, kind="event").exists()


def _note(entry: TimelineEntry, link: TicketLink) -> None:
    """Have it noted, and before it what was written before it: workers come to entries in any order."""
    TicketLink.objects.select_for_update(of=("self",)).get(pk=link.pk)  # one worker after the other
    last = link.changes.filter(kind=outbox.NOTE).aggregate(last=Max("entry"))["last"] or 0
    rows = TimelineEntry.objects.filter(incident=link.incident_id, kind__in=link.profile.note_kinds)
    rows = rows.exclude(actor_type=linking.ACTOR_TYPE).filter(pk__lte=entry.pk)
    between = rows.filter(pk__gt=last, recorded_at__gte=max(entry.recorded_at - OVERTAKEN, link.created_at))
    for pk, cause in [*between.order_by("pk").values_list("pk", "cause"), (entry.pk, entry.cause)]:
        outbox.add(link, outbox.NOTE, entry=pk, cause=cause)


def _attach(entry: TimelineEntry, link: TicketLink) -> bool:
    piece = Evidence.objects.filter(pk=entry.data.get("id") or 0, incident=link.incident_id).first()
    if piece is None:
        return False
    if not link.changes.filter(kind=outbox.ATTACHMENT, evidence=piece).exists():
        outbox.add(link, outbox.ATTACHMENT, entry=entry.pk, evidence=piece.pk, cause=entry.cause)
    return True


def _repeated(entry: TimelineEntry, link: TicketLink) -> bool:
    """An open alert that comes to an incident which has ended opens it again: with its ticket, or with another one, as
    the profile has it. Returns whether there is another one."""
    incident = Incident.objects.select_for_update(of=("self",)).get(pk=entry.incident_id or 0)
    if IncidentStatus(incident.status).is_open or not _is_open(entry):
        return False
    if link.profile.on_repeat == "new" and link.state != LinkState.ENDED:
        linking.end(incident, link, Actor.system(), "A closed ticket is not opened again; another one is made.")
        _reopen(incident)
        incident.refresh_from_db()
        linking.open_ticket(incident, link.profile, Actor.system(), entry.cause)
        return True
    _reopen(incident)
    return False


def _reopen(incident: Incident) -> None:
    try:
        incidents.set_status(Actor.system(), incident.pk, IncidentStatus.IN_PROGRESS, reason=REPEATED)
    except CaseError:
        return


def _is_open(entry: TimelineEntry) -> bool:
    number = str(entry.data.get("alert") or "").removeprefix("ALR-")
    rows = Alert.objects.filter(pk=int(number) if number.isdecimal() else 0)
    return rows.filter(status__lt=AlertStatus.RESOLVED).exists()
