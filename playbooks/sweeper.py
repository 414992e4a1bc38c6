"""Finds runs without a doorbell: queued ones that no worker came for, and those whose worker fell silent."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce, Now

from playbooks import catalog
from playbooks.choices import RunStatus
from playbooks.claims import claimable
from playbooks.models import Run
from playbooks.opening import RUN_TASK
from playbooks.response.starting import RESPOND_TASK
from soar.lib.queue import enqueue_many

AT_ONCE = 200
PATIENCE = timedelta(seconds=60)  # a doorbell may wait that long in a full queue before it is rung again


def sweep() -> int:
    """Ring for at most 200 runs. Returns how many. Also makes sure that the files' playbooks have rows."""
    catalog.current()
    with transaction.atomic():
        rows = (
            Run.objects.select_for_update(skip_locked=True, of=("self",))
            .annotate(rung=Coalesce("rung_at", "queued_at"))
            .filter(claimable(), _unrung())
            .order_by("pk")
            .values_list("pk", "playbook__kind")[:AT_ONCE]
        )
        found = dict(rows)
        Run.objects.filter(pk__in=list(found)).update(rung_at=Now())
        enqueue_many((RESPOND_TASK if kind == "response" else RUN_TASK, (pk,)) for pk, kind in found.items())
    return len(found)


def _unrung() -> Q:
    lease = timedelta(seconds=settings.LEASE_SECONDS)
    silent = Q(status=RunStatus.IN_PROGRESS, rung__lt=Now() - min(lease, PATIENCE))
    return silent | Q(status=RunStatus.QUEUED, rung__lt=Now() - PATIENCE)
