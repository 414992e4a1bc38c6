"""Every change of a custom field's definition, each with its row in the audit log (casework.md 6, access.md 8).

No change of a definition changes a value: a kind or choices that the stored values do not fit are refused, a field that
has values is retired, not deleted, and a key is for good."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from cases.actions.custom_field_checks import (
    Draft,
    check_choices,
    checked_fields,
    fits,
    key_of,
    templates_with,
    unfit,
    used_on,
)
from cases.actions.custom_values import hold_definitions
from cases.actors import Actor
from cases.custom_fields.kinds import KINDS
from cases.custom_fields.words import words
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import CustomField
from cases.models.custom_field import FIELDS_AT_MOST
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

NAMED_AT_MOST = 5


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any]) -> CustomField:
    """Make a field; ``fields``: name and kind, and if wanted key, choices, required, help_text, templates.

    Raises Refused beside the field that is wrong, Forbidden without the permission to manage settings."""
    _may_manage(actor)
    hold_definitions(alone=True)
    if CustomField.objects.count() >= FIELDS_AT_MOST:
        raise Refused(
            _("There are %(fields_at_most)s custom fields already. Delete one first.")
            % {"fields_at_most": FIELDS_AT_MOST}
        )
    given = {"name": "", "kind": "", **fields}
    key = given.pop("key", "")
    values = checked_fields(given)
    templates = values.pop("templates", None)
    last = CustomField.objects.aggregate(last=Max("position"))["last"]
    field = CustomField(
        key=key_of(key, values["name"]), position=(last or 0) + 1, everywhere=templates is None, **values
    )
    check_choices(field)
    _saved(_stamped(actor, field), made_key=not key)
    field.templates.set(templates or ())
    audit.record(actor.user, "custom_field.created", field.name, key=field.key, kind=field.kind)
    return field


@transaction.atomic
def update(actor: Actor, key: str, *, changes: dict[str, Any], expected_version: int | None = None) -> CustomField:
    """Change the fields given. Values stay as they are: a kind or choices that they do not fit are refused.

    Raises Refused beside the field that is wrong, Conflict, Stale, Missing, Forbidden."""
    if "key" in changes:
        raise Refused(_("A key is for good: values and programs hang on it."), field="key")
    field = _locked(actor, key, expected_version)
    values = checked_fields(changes)
    draft = Draft(values.get("kind", field.kind), values.get("choices", field.choices))
    if "kind" in values and "choices" not in values and not KINDS[draft.kind].chooses:
        draft.choices = values["choices"] = []
    check_choices(draft)
    if (draft.kind, draft.choices) != (field.kind, field.choices):
        _check_fit(actor, field, draft)
    if _write(actor, field, values):
        audit.record(actor.user, "custom_field.changed", field.name, key=field.key, fields=sorted(values))
    return field


@transaction.atomic
def retire(actor: Actor, key: str, *, expected_version: int | None = None) -> CustomField:
    """Ask for it no more: values that are there stay, are shown and can be looked for. Twice changes nothing."""
    return _switch(actor, key, expected_version, retired=True)


@transaction.atomic
def restore(actor: Actor, key: str, *, expected_version: int | None = None) -> CustomField:
    """Ask for a retired field again."""
    return _switch(actor, key, expected_version, retired=False)


@transaction.atomic
def delete(actor: Actor, key: str, *, expected_version: int | None = None) -> None:
    """Take away a field that no incident and no template has a value of. Raises Conflict while one does (it can be
    retired), Stale, Missing, Forbidden."""
    field = _locked(actor, key, expected_version)
    seen, others = used_on(field, actor.user)
    if seen or others:
        raise Conflict(
            _("%(name)s has values on %(incidents)s. Retire it: they stay.")
            % {"name": field.name, "incidents": _incidents(seen, others)},
            code="in_use",
        )
    if names := [template.name for template in templates_with(field)]:
        raise Conflict(
            _("Templates begin with a value of %(name)s: %(names)s.")
            % {"name": field.name, "names": ", ".join(names[:5])},
            code="in_use",
        )
    field.delete()
    audit.record(actor.user, "custom_field.deleted", field.name, key=field.key, kind=field.kind)


@transaction.atomic
def move(actor: Actor, key: str, position: int) -> CustomField:
    """Put it at this place of the list, counted from 1; the others move."""
    field = _locked(actor, key, None)
    others = list(CustomField.objects.exclude(pk=field.pk))
    place = max(0, min(int(position) - 1, len(others)))
    for number, one in enumerate([*others[:place], field, *others[place:]], 1):
        if one.position != number:
            CustomField.objects.filter(pk=one.pk).update(position=number)
    field.refresh_from_db(fields=["position"])
    return field


def field_for(key: str) -> CustomField:
    """The field with this key. Raises Missing."""
    found = CustomField.objects.filter(key=str(key)[:40].replace("\x00", "")).first()
    if found is None:
        raise Missing(_("There is no custom field %(key)s.") % {"key": f"{key!s:.40}"})
    return found


def _may_manage(actor: Actor) -> None:
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def _locked(actor: Actor, key: str, expected: int | None) -> CustomField:
    _may_manage(actor)
    hold_definitions(alone=True)
    field = field_for(key)
    if expected is not None and field.version != expected:
        raise Stale(_("The field was changed by somebody else in the meantime. Nothing was saved."), current=field)
    return field


def _check_fit(actor: Actor, field: CustomField, draft: Draft) -> None:
    """Raise Conflict that names values which the changed definition would not take."""
    found = unfit(field, draft, actor.user)
    which = "choices" if draft.kind == field.kind else "kind"
    if found:
        named = ", ".join(f"“{value:.60}” ({n})" for value, n in found.values[:NAMED_AT_MOST])
        more = _incidents(sum(n for _value, n in found.values), bool(found.hidden))
        said = _("Values on %(more)s do not fit it%(named)s. Change them first, or make a new field.") % {
            "more": more,
            "named": f": {named}" if named else "",
        }
        raise Conflict(said, field=which, code="values_do_not_fit")
    for template in templates_with(field):
        value = template.custom_fields[field.key]
        if not fits(draft, value):
            shown = words(field.kind, value)
            raise Conflict(
                _("The template %(name)s begins with “%(shown)s”: it does not fit.")
                % {"name": template.name, "shown": f"{shown:.60}"},
                field=which,
            )


def _incidents(seen: int, others: bool) -> str:
    """ "3 incidents and others that you may not see": what is hidden is not counted."""
    some = f"{seen} incident{'' if seen == 1 else 's'}" if seen else ""
    hidden = "others that you may not see" if seen else "incidents that you may not see"
    return " and ".join(filter(None, [some, hidden if others else ""]))


def _write(actor: Actor, field: CustomField, values: dict[str, Any]) -> bool:
    """Save what differs; whether anything did."""
    before = list(field.templates.order_by("pk"))
    changed = {name: value for name, value in values.items() if name != "templates" and getattr(field, name) != value}
    if "templates" in values:
        wanted = values["templates"]
        changed |= {"everywhere": wanted is None} if field.everywhere != (wanted is None) else {}
        moved = sorted(one.pk for one in wanted or ()) != [one.pk for one in before]
        field.templates.set(wanted or ())
    else:
        moved = False
    for name, value in changed.items():
        setattr(field, name, value)
    if changed or moved:
        field.version += 1
        _saved(_stamped(actor, field))
    return bool(changed or moved)


def _switch(actor: Actor, key: str, expected: int | None, *, retired: bool) -> CustomField:
    field = _locked(actor, key, expected)
    if (field.retired_at is not None) == retired:
        return field
    field.retired_at = clock.now() if retired else None
    field.version += 1
    _saved(_stamped(actor, field))
    audit.record(actor.user, f"custom_field.{'retired' if retired else 'restored'}", field.name, key=field.key)
    return field


def _stamped(actor: Actor, field: CustomField) -> CustomField:
    field.updated_at = clock.now()
    field.changed_by = actor.name[:200]
    if field.pk is None:
        field.created_at = field.updated_at
    return field


def _saved(field: CustomField, *, made_key: bool = False) -> None:
    """The database says whether name and key are free, also to two people at the same moment. A key that was made of
    the name is the name's fault."""
    try:
        with transaction.atomic():
            field.save()
    except IntegrityError as error:
        which = "key" if "key_unique" in str(error) and not made_key else "name"
        raise Refused(
            _("There is a custom field of this %(which)s already.") % {"which": which}, field=which
        ) from error
