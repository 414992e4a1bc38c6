"""Assets put on incidents by hand or by playbooks (casework.md 6)."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import save, text_of
from cases.actors import Actor
from cases.errors import Missing, Refused
from cases.holds import check_incidents
from cases.models import Asset, Incident, IncidentAsset
from cases.permissions import incident_for


@transaction.atomic
def add_to_incident(actor: Actor, incident_id: int | str, name: str) -> Asset:
    """Put an asset on an incident by its name. One that is there already changes nothing.

    Raises Refused for a name that the actor knows no asset of: it is entered first."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    given = text_of(name, "name", most=255)
    rows = Asset.objects.filter(key=given.lower())
    asset = (rows.visible_to(actor.user) if actor.user is not None else rows).first()
    if asset is None:
        raise Refused(gettext("There is no asset %(given)s. Enter it first.") % {"given": f"{given:.60}"}, field="name")
    _, made = IncidentAsset.objects.get_or_create(
        incident=incident, asset=asset, defaults={"added_by": actor.name[:200]}
    )
    if made:
        _announce("asset.added", incident, actor, asset)
        save(incident)
    return asset


@transaction.atomic
def remove_from_incident(actor: Actor, incident_id: int | str, asset_id: int) -> None:
    """Take an asset off an incident that it was put on; its alerts keep theirs. Raises Missing, and Held for an
    incident on legal hold."""
    incident = incident_for(actor, incident_id, level="edit", lock=True)
    row = incident.asset_links.filter(asset=asset_id).select_related("asset").first()
    if row is None:
        raise Missing(_("This asset was not put on the incident itself."))
    check_incidents([incident.pk])
    row.delete()
    _announce("asset.removed", incident, actor, row.asset)
    save(incident)


def _announce(kind: str, incident: Incident, actor: Actor, asset: Asset) -> None:
    timeline.record(kind, incident, actor, data={"id": asset.pk, "name": asset.name})
