"""What the purge of alerts and incidents takes along here (``PURGE_HOOKS``)."""

from __future__ import annotations

from playbooks.models import Run, Sequence, Step


def forget(*, alerts: list[int], incidents: list[int]) -> None:
    """Delete the runs, steps and sequences of these alerts and incidents (ids), in the caller's transaction."""
    for name, ids in (("alert__in", alerts), ("incident__in", incidents)):
        runs = list(Run.objects.filter(**{name: ids}).values_list("pk", flat=True)) if ids else []
        Step.objects.filter(run__in=runs).delete()
        Run.objects.filter(pk__in=runs).delete()
        Sequence.objects.filter(**{name: ids}).delete()
