"""ATT&CK techniques of an incident, added and taken off one by one: two people at once lose nothing (casework.md 6)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.base import change, save
from cases.actions.incident_fields import checked
from cases.actions.seen import Expected, check_version
from cases.actors import Actor
from cases.errors import Refused
from cases.models import Incident
from cases.permissions import incident_for

TECHNIQUES_AT_MOST = 200


@transaction.atomic
def retag(
    actor: Actor,
    incident_id: int | str,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
    expected_version: Expected = None,
) -> Incident:
    """Add these ids and take those off; what is so already changes nothing. An id need not be known to ATT&CK, it must
    look like one (T1566.001). Raises Refused, Stale, Missing, Forbidden."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    check_version(incident, expected_version)
    wanted = checked({"techniques": [*incident.techniques, *add]})["techniques"]
    gone = {one.strip().upper() for one in remove}
    wanted = [one for one in wanted if one not in gone]
    check_number(incident, wanted, field="add")
    if change(incident, actor, "techniques", wanted):
        save(incident, "techniques")
    return incident


def check_number(incident: Incident, wanted: list[str], *, field: str = "techniques") -> None:
    """Raise Refused for more than 200; of one whose alerts brought more, any may be taken off."""
    if len(wanted) > max(TECHNIQUES_AT_MOST, len(incident.techniques)):
        raise Refused(
            _("At most %(techniques_at_most)s techniques.") % {"techniques_at_most": TECHNIQUES_AT_MOST}, field=field
        )
