"""Legal holds: what is on hold, and the refusal of whoever would delete it (access.md 9)."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from cases.errors import Conflict
from cases.models import Alert, Incident, LegalHold


class Held(Conflict):
    """Something of it is on legal hold; nothing was deleted."""

    code = "legal_hold"


def hold_of(incident: Incident) -> LegalHold | None:
    """The hold that is on the incident now."""
    return LegalHold.objects.filter(incident=incident, lifted_at=None).first()


def held_among(incidents: Iterable[int]) -> list[int]:
    """Those of these incidents (ids) that are on hold, in order."""
    rows = LegalHold.objects.filter(incident__in=list(incidents), lifted_at=None)
    return sorted(rows.values_list("incident_id", flat=True))


def check_incidents(incidents: Iterable[int]) -> None:
    """Raise Held for an incident on hold. Its row, or that of what is to go, is locked: placing a hold takes it too."""
    if held := held_among(incidents):
        numbers = ", ".join(f"INC-{pk}" for pk in held[:5])
        raise Held(
            _("%(numbers)s is on legal hold: nothing of it is deleted until the hold is lifted.") % {"numbers": numbers}
        )


def check_alerts(alerts: Iterable[int]) -> None:
    """Raise Held for alerts (ids) that are in an incident on hold. Their rows are locked."""
    rows = Alert.objects.filter(pk__in=list(alerts), incident__isnull=False)
    check_incidents(rows.values_list("incident_id", flat=True).distinct())
