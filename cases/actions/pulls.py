"""How a source is read from its product, each change with its row in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actions.source_access import locked_source
from cases.actors import Actor
from cases.errors import Refused
from cases.models import AlertPull, AlertPush
from cases.models.pull import PushState
from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors import registry, selectors
from soar.connectors.base import Health
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.lib.queue import enqueue

# Kinds of source whose alerts can be read, and the kinds of connector that read them (soar.connectors.reader).
READ_BY: dict[str, tuple[str, ...]] = {
    "visionone": ("visionone",),
    "email": ("imap",),
    "defender": ("microsoft_graph",),
    "elastic": ("elasticsearch",),
}
SECONDS = (10, 86_400)
HOURS = (0, 24 * 90)


def accounts_for(user: User | None, kind: str) -> list[ConnectorAccount]:
    """The connectors with which this person may have a source of that kind read."""
    rows = ConnectorAccount.objects.all() if user is None else selectors.usable_by(user)
    return list(rows.filter(kind__in=READ_BY.get(kind, ())).order_by("name"))


@transaction.atomic
def set_pull(
    actor: Actor,
    slug: str,
    *,
    account: str,
    enabled: bool = True,
    every_seconds: int = 60,
    look_back_hours: int = 24,
) -> AlertPull:
    """Have a source read with the connector of that name. Another connector begins anew, ``look_back_hours`` back.

    Raises Refused beside the field that is wrong, Missing, Forbidden."""
    source = locked_source(actor, slug)
    if source.kind not in READ_BY:
        raise Refused(
            _("Alerts of this kind are sent to the portal; there is nothing to read them from."), field="account"
        )
    chosen = next((one for one in accounts_for(actor.user, source.kind) if one.name == account), None)
    if chosen is None:
        raise Refused(
            _("There is no connector %(account)s that such alerts can be read with.") % {"account": f"{account!s:.60}"},
            field="account",
        )
    values: dict[str, Any] = {
        "account": chosen,
        "enabled": bool(enabled),
        "every_seconds": _within(every_seconds, SECONDS, "every_seconds"),
        "look_back_hours": _within(look_back_hours, HOURS, "look_back_hours"),
    }
    row = AlertPull.objects.select_for_update().filter(source=source).first() or AlertPull(source=source)
    if row.pk and row.account_id != chosen.pk:
        row.read_until, row.mark, row.subject, row.failures, row.last_error = None, {}, "", 0, ""
    for name, value in values.items():
        setattr(row, name, value)
    row.due_at = timezone.now()
    row.save()
    audit.record(actor.user, "source.pull_set", source.slug, **{**values, "account": chosen.name})
    return row


@transaction.atomic
def remove_pull(actor: Actor, slug: str) -> None:
    """Read the source no more. Twice changes nothing; what was read stays."""
    source = locked_source(actor, slug)
    if AlertPull.objects.filter(source=source).delete()[0]:
        audit.record(actor.user, "source.pull_removed", source.slug)


@transaction.atomic
def pull_now(actor: Actor, slug: str) -> AlertPull:
    """Read it at once instead of when it is due. Raises Refused where it is not read, Missing, Forbidden."""
    source = locked_source(actor, slug)
    row = AlertPull.objects.filter(source=source, enabled=True).first()
    if row is None or not source.enabled:
        raise Refused(_("This source is not read, or it is off."))
    enqueue("cases.tasks.pull", row.pk)
    return row


def test_pull(actor: Actor, slug: str) -> Health:
    """Ask the product whether it can be read, outside of any transaction. Raises Refused where it is not set up or its
    connector is off, Missing, Forbidden."""
    with transaction.atomic():
        row = AlertPull.objects.select_related("account").filter(source=locked_source(actor, slug)).first()
    if row is None or row.account is None:
        raise Refused(_("This source is read with no connector."))
    try:
        health = registry.of(row.account).test()
    except ConnectorError as error:
        raise Refused(error.message) from None
    audit.record(actor.user, "source.pull_tested", slug, ok=health.ok, account=row.account.name)
    return health


@transaction.atomic
def push_again(actor: Actor, slug: str) -> int:
    """Tell once more what could not be told to the source's product. Returns how many. Raises Missing, Forbidden."""
    source = locked_source(actor, slug)
    failed = AlertPush.objects.filter(alert__source=source, state=PushState.FAILED)
    notes = failed.exclude(entry=0).update(state=PushState.SENDING, attempts=1, due_at=timezone.now(), said="")
    states = 0
    for row in failed.filter(entry=0).order_by("alert", "-pk").distinct("alert"):
        AlertPush.objects.bulk_create([AlertPush(alert_id=row.alert_id, cause=row.cause)], ignore_conflicts=True)
        states += 1
    failed.filter(entry=0).update(state=PushState.DONE, said="Asked for again.")
    if notes + states:
        audit.record(actor.user, "source.push_again", source.slug, count=notes + states)
    return notes + states


def _within(value: Any, limits: tuple[int, int], field: str) -> int:
    low, high = limits
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(_("This is a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}, field=field)
    return value
