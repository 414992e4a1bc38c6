"""Changing the policy of the clocks. The clocks of open incidents follow in the background (access.md 8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Forbidden, Refused, Stale
from cases.models import SlaPolicy
from cases.sla import policy as sla
from cases.sla.current import of_row
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock
from soar.lib.queue import enqueue

RECKON = "cases.tasks.sla_reckon"
LOCK = 0x736C61  # advisory: there may be no row yet to lock


@transaction.atomic
def change(actor: Actor, given: Mapping[str, Any], *, expected_version: int | None = None) -> sla.Policy:
    """Put what is given in the place of what the policy had (``cases.sla.policy.changed``). Raises Refused beside the
    part that is wrong, Stale when somebody else changed it, Forbidden."""
    check(actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    row = SlaPolicy.objects.filter(pk=1).first()
    before = sla.SHIPPED if row is None else of_row(row)
    if expected_version is not None and before.version != expected_version:
        raise Stale(_("The policy was changed by somebody else in the meantime. Nothing was saved."), current=before)
    try:
        after = sla.changed(before, given)
    except sla.BadPolicy as error:
        raise Refused(error.message, field=error.field) from error
    if after.document() == before.document():
        return before
    return _save(actor, before, after)


def check(actor: Actor) -> None:
    """Raise Forbidden for somebody who may not manage settings."""
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _save(actor: Actor, before: sla.Policy, after: sla.Policy) -> sla.Policy:
    told, was = after.document(), before.document()
    row = SlaPolicy(pk=1, **told, version=before.version + 1, changed_by=actor.name[:200], updated_at=clock.now())
    row.save()
    changed = [name for name in told if told[name] != was[name]]
    audit.record(
        actor.user, "sla.changed", "SLA policy",
        before={name: was[name] for name in changed}, after={name: told[name] for name in changed},
    )  # fmt: skip
    enqueue(RECKON)
    return of_row(row)
