"""Adding to the never-touch list and taking off it, each with its row in the audit log (response-playbooks.md 18)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Missing, Refused
from playbooks.actions.rights import needs
from playbooks.models import NeverTouch
from playbooks.never_touch import BY, CRITICALITY
from soar.accounts import audit
from soar.connectors.capabilities import KINDS_OF_TARGET


@transaction.atomic
def add(actor: Actor, *, by: str, value: str, reason: str, kinds: Sequence[str] = ()) -> NeverTouch:
    """Put a rule on the list. ``by``: name, tag, criticality (this or higher), network; ``kinds``: kinds of target.

    Raises Forbidden without the permission to manage settings, Refused beside the field that is wrong."""
    _may_change(actor)
    if by not in BY:
        raise Refused(_("One of: %(by)s.") % {"by": ", ".join(BY)}, field="by")
    if wrong := [kind for kind in kinds if kind not in KINDS_OF_TARGET]:
        raise Refused(
            _("%(wrong)s is not one of: %(kinds_of_target)s.")
            % {"wrong": f"{wrong[0]:.40}", "kinds_of_target": ", ".join(KINDS_OF_TARGET)},
            field="kinds",
        )
    row = NeverTouch(
        by=by,
        value=_value(by, text_of(value, "value", most=300)),
        kinds=sorted(set(kinds)),
        reason=" ".join(text_of(reason, "reason", most=500).split()),
        added_by=actor.name[:200],
    )
    _saved(row)
    row.refresh_from_db(fields=["added_at"])
    audit.record(actor.user, "never_touch.added", str(row), reason=row.reason, kinds=row.kinds)
    return row


@transaction.atomic
def remove(actor: Actor, rule_id: int) -> NeverTouch:
    """Take a rule off the list. Tasks that wait for its approval go on waiting. Raises Missing, Forbidden."""
    _may_change(actor)
    row = NeverTouch.objects.select_for_update().filter(pk=rule_id).first() if rule_id < 2**63 else None
    if row is None:
        raise Missing(_("The never-touch list has no rule %(rule_id)s.") % {"rule_id": f"{rule_id!s:.40}"})
    told = str(row)
    row.delete()
    audit.record(actor.user, "never_touch.removed", told, reason=row.reason)
    return row


def _may_change(actor: Actor) -> None:
    needs(actor, "manage_settings", _("The permission to manage settings is missing."))


def _value(by: str, value: str) -> str:
    if by == "criticality" and value.lower() not in CRITICALITY:
        raise Refused(
            _("A criticality is one of: %(criticality)s.") % {"criticality": ", ".join(CRITICALITY)}, field="value"
        )
    if by == "criticality":
        return value.lower()
    if by == "network":
        return _network(value)
    if by == "name" and (not value.strip("*") or "*" in value.strip("*")):
        raise Refused(_("A * may stand at the beginning and at the end of a name, nowhere else."), field="value")
    return value


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value, strict=False))
    except ValueError:
        raise Refused(_("A network is written like 10.20.0.0/16 or 2001:db8::/32."), field="value") from None


def _saved(row: NeverTouch) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "never_touch_once" not in str(error):
            raise
        raise Refused(_("This is on the list already."), field="value") from None
