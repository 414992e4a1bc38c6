"""Detection models by hand: another severity, a custom model (rulings 11). Audited."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.actions.base import text_of, word
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Conflict, Missing, Refused
from playbooks.actions.rights import needs
from playbooks.models import DetectionModel
from soar.accounts import audit


@transaction.atomic
def add(actor: Actor, name: str, severity: str) -> DetectionModel:
    """Enter a custom model, for alerts that are still to come. Raises Forbidden, Refused beside name or severity."""
    _may_change(actor)
    clean = " ".join(text_of(name, "name", most=300).split())
    level = word(Severity, severity, "severity")
    row = DetectionModel(name=clean, key=clean.lower(), severity=level, severity_set=True, custom=True)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Refused(_("There is a detection model of this name already."), field="name") from None
    audit.record(actor.user, "detection_model.added", row.name, severity=level.word)
    return row


@transaction.atomic
def set_severity(actor: Actor, model_id: int, severity: str) -> DetectionModel:
    """Set it by hand; "" lets the alerts decide again. Raises Forbidden, Missing, Refused beside severity."""
    row = _locked(actor, model_id)
    if severity == "":
        if row.custom:
            raise Refused(_("A custom model needs a severity."), field="severity")
        row.severity_set = False
    else:
        row.severity, row.severity_set = word(Severity, severity, "severity"), True
    row.save(update_fields=["severity", "severity_set"])
    said = Severity(row.severity).word if row.severity_set else ""
    audit.record(actor.user, "detection_model.severity", row.name, severity=said)
    return row


@transaction.atomic
def remove(actor: Actor, model_id: int) -> DetectionModel:
    """Take a custom model away. Raises Forbidden, Missing, Conflict for one that alerts name."""
    row = _locked(actor, model_id)
    if not row.custom or row.alert_count:
        raise Conflict(_("%(name)s is named by alerts: it cannot be removed.") % {"name": row.name})
    row.delete()
    audit.record(actor.user, "detection_model.removed", row.name)
    return row


def _may_change(actor: Actor) -> None:
    needs(actor, "manage_settings", _("The permission to manage settings is missing."))


def _locked(actor: Actor, model_id: int) -> DetectionModel:
    _may_change(actor)
    row = DetectionModel.objects.select_for_update().filter(pk=model_id).first() if model_id < 2**63 else None
    if row is None:
        raise Missing(_("There is no detection model %(model_id)s.") % {"model_id": f"{model_id!s:.40}"})
    return row
