"""From timeline entries to deliveries: what each endpoint is to be sent is written down once, then sent by a worker."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable

from django.db import transaction

from cases.models import DeliveryState, TimelineEntry, WebhookDelivery, WebhookEndpoint
from cases.timeline import Subject
from cases.timeline_read import tell_all
from cases.webhooks import choosing, payload
from cases.webhooks.ringing import ring
from soar.lib import clock

SUBJECTS = ("alert__team", "alert__source", "incident__team")


def consider(entry_ids: Iterable[int]) -> None:
    """Write down what these entries give to send. Twice changes nothing: an endpoint is sent an entry once."""
    endpoints = list(WebhookEndpoint.objects.filter(enabled=True).select_related("owner"))
    if not endpoints:
        return
    entries = list(TimelineEntry.objects.filter(pk__in=list(entry_ids)).select_related(*SUBJECTS).order_by("pk"))
    for endpoint in endpoints:
        rows = _rows(endpoint, entries)
        with transaction.atomic():
            WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
            if rows:
                ring(endpoint.pk)


def subject_of(entry: TimelineEntry) -> Subject:
    """The alert or incident that the entry stands on."""
    subject = entry.alert or entry.incident
    assert subject is not None  # a constraint of the database holds it
    return subject


def _rows(endpoint: WebhookEndpoint, entries: list[TimelineEntry]) -> list[WebhookDelivery]:
    wanted = [entry for entry in entries if choosing.wants(endpoint, entry, subject_of(entry))]
    if not wanted or not choosing.may_own(endpoint.owner):
        return []
    seen = choosing.visible(endpoint.owner, [subject_of(entry) for entry in wanted])
    told = [copy.copy(entry) for entry in wanted if subject_of(entry) in seen]
    tell_all(endpoint.owner, told)  # as its owner would read it
    return [_row(endpoint, entry) for entry in told]


def _row(endpoint: WebhookEndpoint, entry: TimelineEntry) -> WebhookDelivery:
    now, why_not = clock.now(), choosing.withheld(endpoint, subject_of(entry))
    return WebhookDelivery(
        endpoint=endpoint,
        alert_id=entry.alert_id,
        incident_id=entry.incident_id,
        entry=entry.pk,
        event=new_event(),
        kind=entry.kind,
        body="" if why_not else payload.of_entry(entry, subject_of(entry)),
        state=DeliveryState.WITHHELD if why_not else DeliveryState.WAITING,
        said=why_not,
        due_at=now,
        created_at=now,
        finished_at=now if why_not else None,
    )


def new_event() -> str:
    """A ``webhook-id``: the same for all tries of a delivery."""
    return f"msg_{uuid.uuid4().hex}"
