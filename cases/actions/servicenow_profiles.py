"""Every change of a ticket profile, each with its row in the audit log (servicenow.md 2)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.servicenow_gaps import Found, breaking, clear_mapped, gaps_of
from cases.actions.servicenow_instances import may_set_up
from cases.actions.servicenow_profile_fields import checked, table_of
from cases.actions.servicenow_vocabulary import connector_of, read
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused, Stale
from cases.models import ServiceNowInstance, TicketProfile
from cases.servicenow.defaults import defaults
from soar.accounts import audit
from soar.connectors.errors import ConnectorError
from soar.lib import clock

TAKEN = gettext_noop("There is a profile of this name already.")
LISTS = ("templates", "sources")
COPIED = (
    "caller", "assignment_group", "assigned_to", "category", "short_description", "description", "extra", "maps",
    "directions", "winners", "note_kinds", "note_field", "send_evidence", "on_repeat", "severities",
)  # fmt: skip
LATER = ("instance__webhook_secret",)  # it is not needed here
NOBODY = "0" * 32  # a sys_id that no row has
# What of a profile names rows or choices of its own instance: a copy for another one goes without.
OF_INSTANCE = ("caller", "assignment_group", "assigned_to")
MAPS_OF_INSTANCE = ("user", "group")


def create(actor: Actor, *, name: str, instance: str, table: str = "incident") -> TicketProfile:
    """Make a profile, off, with the maps that fit ``table`` as it is delivered. ``instance``: its slug.

    Raises Refused beside the field that is wrong (a table that ServiceNow does not have), Forbidden."""
    may_set_up(actor)
    where, table = _instance(instance), table_of(table)
    check_table(where, table)
    with transaction.atomic():
        fields = {**defaults(table), **checked({"name": name})}
        row = TicketProfile(instance=where, table=table, **fields)
        row.order = _last_order() + 1
        _saved(row)
        audit.record(actor.user, "servicenow.profile_created", row.name, instance=where.slug, table=table)
    return row


def update(
    actor: Actor, profile_id: int, *, changes: dict[str, Any], expected_version: int | None = None
) -> TicketProfile:
    """Change the fields given. A profile that is on takes nothing with which resolving could fail.

    Raises Refused beside the fields that are wrong, Stale, Missing, Forbidden."""
    may_set_up(actor)
    values = checked(changes)
    known = profile_for(profile_id)
    vocabulary = read(known.instance, known.table) if known.enabled else None
    with transaction.atomic():
        row = _locked(actor, profile_id, expected_version)
        changed = _put(row, values)
        if changed and row.enabled:
            if vocabulary is None:  # switched on since it was read; asking ServiceNow here would hold the lock
                raise Stale(_("The profile was switched on in the meantime. Nothing was saved."), current=row)
            _hold_broken(breaking(gaps_of(row, vocabulary)), _("Switch it off first, or"))
        if changed:
            row.version += 1
            _saved(row)
            clear_mapped(row)
            audit.record(actor.user, "servicenow.profile_changed", row.name, fields=sorted(changed))
    return row


def copy(actor: Actor, profile_id: int, *, name: str, instance: str, table: str) -> TicketProfile:
    """Make another profile, off, like this one. On another table it has that table's own maps; for another instance
    it goes without the people and groups of the first. Raises as ``create``, Missing."""
    old = profile_for(profile_id)
    may_set_up(actor)
    where, table = _instance(instance), table_of(table)
    check_table(where, table)
    fields = {field: getattr(old, field) for field in COPIED}
    if table != old.table:
        kept = {key: old.maps[key] for key in MAPS_OF_INSTANCE if key in old.maps}
        fields["maps"] = {**defaults(table)["maps"], **kept}
    if where.pk != old.instance_id:
        fields |= {field: {} for field in OF_INSTANCE}
        fields["maps"] = {key: pairs for key, pairs in fields["maps"].items() if key not in MAPS_OF_INSTANCE}
    with transaction.atomic():
        row = TicketProfile(instance=where, table=table, **{**fields, **checked({"name": name})})
        row.order = _last_order() + 1
        _saved(row)
        for field in LISTS:
            getattr(row, field).set(getattr(old, field).all())
        audit.record(actor.user, "servicenow.profile_created", row.name, copy_of=old.name, instance=where.slug)
    return row


def enable(actor: Actor, profile_id: int, *, expected_version: int | None = None) -> list[Found]:
    """Switch it on. Returns the gaps that people were warned of. Refused while resolving could fail, and before the
    choices of its table were read once. Raises Refused, Stale, Missing, Forbidden."""
    may_set_up(actor)
    known = profile_for(profile_id)
    vocabulary = read(known.instance, known.table, again=True)
    with transaction.atomic():
        row = _locked(actor, profile_id, expected_version)
        if row.enabled:
            return []
        if vocabulary.read_at is None:
            told = _("The choices of %(table)s could not be read yet. %(said)s")
            raise Refused((told % {"table": row.table, "said": vocabulary.said}).strip())
        gaps = gaps_of(row, vocabulary)
        _hold_broken(breaking(gaps), _("Before it is switched on:"))
        row.enabled = True
        row.save(update_fields=["enabled", "updated_at"])
        audit.record(actor.user, "servicenow.profile_enabled", row.name, gaps=len(gaps))
    return gaps


@transaction.atomic
def disable(actor: Actor, profile_id: int) -> TicketProfile:
    """Switch it off: no incident gets a ticket by it any more. Tickets that are linked stay in sync."""
    row = _locked(actor, profile_id, None)
    if row.enabled:
        row.enabled = False
        row.save(update_fields=["enabled", "updated_at"])
        audit.record(actor.user, "servicenow.profile_disabled", row.name)
    return row


@transaction.atomic
def delete(actor: Actor, profile_id: int) -> str:
    """Take it away; returns its name. Raises Conflict once a ticket was linked by it, Missing, Forbidden."""
    row = _locked(actor, profile_id, None)
    try:
        with transaction.atomic():
            row.delete()
    except ProtectedError:
        raise Conflict(_("Incidents are linked with tickets by this profile. Switch it off instead.")) from None
    audit.record(actor.user, "servicenow.profile_deleted", row.name)
    return row.name


def profile_for(pk: int) -> TicketProfile:
    """The profile with its instance. Raises Missing."""
    found = TicketProfile.objects.select_related("instance__account").defer(*LATER).filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no ticket profile %(pk)s.") % {"pk": pk})
    return found


def check_table(instance: ServiceNowInstance, table: str) -> None:
    """Raise Refused for a table that ServiceNow says it does not have or does not show. If it does not answer at all,
    the table is taken: before the profile can be switched on, its choices have to be read."""
    try:
        connector_of(instance).record(table, NOBODY, ["sys_id"])
    except ConnectorError as error:
        if error.permanent and not error.outcome_unknown:
            raise Refused(
                _("ServiceNow does not take this table: %(message)s") % {"message": error.message}, field="table"
            ) from None


def _put(row: TicketProfile, values: dict[str, Any]) -> list[str]:
    """Set what differs; the names of what did."""
    changed = []
    for name, value in values.items():
        if name in LISTS:
            if {one.pk for one in value} != set(getattr(row, name).values_list("pk", flat=True)):
                getattr(row, name).set(value)
                changed.append(name)
        elif getattr(row, name) != value:
            setattr(row, name, value)
            changed.append(name)
    return changed


def _hold_broken(broken: list[Found], lead: str) -> None:
    if broken:
        texts = "; ".join(gap.text for gap in broken)
        errors = {f"{gap.map}:{gap.value}": gap.text for gap in broken}
        raise Refused(
            _("%(lead)s map what resolving needs: %(texts)s.") % {"lead": lead, "texts": texts}, errors=errors
        )


def _instance(slug: str) -> ServiceNowInstance:
    found = ServiceNowInstance.objects.defer("webhook_secret").filter(slug=str(slug)[:60]).first()
    if found is None:
        raise Refused(_("There is no such instance."), field="instance")
    return found


def _locked(actor: Actor, pk: int, expected: int | None) -> TicketProfile:
    may_set_up(actor)
    rows = TicketProfile.objects.select_for_update(of=("self",)).select_related("instance__account").defer(*LATER)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Missing(_("There is no ticket profile %(pk)s.") % {"pk": pk})
    if expected is not None and row.version != expected:
        raise Stale(_("The profile was changed by somebody else in the meantime. Nothing was saved."), current=row)
    return row


def _last_order() -> int:
    return TicketProfile.objects.order_by("-order").values_list("order", flat=True).first() or 0


def _saved(row: TicketProfile) -> None:
    """The database says whether the name is free, also to two people at the same moment."""
    row.created_at = row.created_at if row.pk else clock.now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise Refused(_(TAKEN), field="name") from error
