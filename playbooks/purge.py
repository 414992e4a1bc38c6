"""What the purge of alerts and incidents takes along here (``PURGE_HOOKS``)."""

from __future__ import annotations

from django.db.models import Q

from playbooks.models import Approval, ResponseTask, Run, Sequence, Step


def forget(*, alerts: list[int], incidents: list[int]) -> None:
    """Delete runs and sequences, with steps, tasks and approvals, of these alerts and incidents (ids), in the caller's
    transaction."""
    for name, ids in (("alert__in", alerts), ("incident__in", incidents)):
        runs = list(Run.objects.filter(**{name: ids}).values_list("pk", flat=True)) if ids else []
        for of_case in (Q(run__in=runs), Q(**{name: ids})):
            ResponseTask.objects.filter(of_case).delete()
            Approval.objects.filter(of_case).delete()
        Step.objects.filter(run__in=runs).delete()
        Run.objects.filter(opened_incident__in=ids if name == "incident__in" else ()).update(opened_incident=None)
        Run.objects.filter(pk__in=runs).delete()
        Sequence.objects.filter(**{name: ids}).delete()
