"""Every change of an asset by a person or program: its history, and the inventory's row in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.asset_fields import checked, differences, drop_unused_groups, known_groups
from cases.actors import Actor
from cases.asset_access import asset_for
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import Asset, AssetChange
from soar.accounts import audit
from soar.accounts.membership import may
from soar.lib import clock

# What alerts tell and what people say of an asset: without anybody's word an asset has none of the latter.
TOLD = {"type": "", "system": "", "addresses": []}
SAID = {"groups": [], "criticality": 0, "tags": []}
NAMED_ONLY = gettext_noop("It is not in the inventory: only alerts name it, so there is nothing to remove.")


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any]) -> Asset:
    """Put an asset into the inventory. ``fields``: name and those of ``asset_fields.FIELDS``.

    One that so far only alerts name is taken over: to whoever does not see those alerts it looks like a new one, with
    the facts given here alone. Raises Refused beside the field that is wrong or if the name is taken, Forbidden."""
    may_work(actor)
    if not fields.get("name"):
        raise Refused(_("An asset has a name."), field="name")
    values = checked(fields)
    asset = _row(values["name"])
    if asset.listed:
        raise Refused(_("There is an asset %(name)s already.") % {"name": asset.name}, field="name")
    if actor.user is not None and not Asset.objects.visible_to(actor.user).filter(pk=asset.pk).exists():
        # Neither what hidden alerts told of it, nor since when: it begins here.
        values = {**TOLD, **values, "created_at": clock.now()}
    _write(asset, {**values, "listed": True})
    AssetChange.objects.create(asset=asset, verb="created", **_who(actor))
    audit.record(actor.user, "asset.created", asset.name, id=asset.pk)
    return asset


@transaction.atomic
def update(actor: Actor, asset_id: int | str, *, changes: dict[str, Any], expected_version: int | None = None) -> Asset:
    """Change facts of an asset; from then on it is in the inventory. Nothing new changes nothing.

    The name may only be spelt anew: alerts find the asset by it. Raises Refused beside the field that is wrong,
    Stale, Missing, Forbidden."""
    may_work(actor)
    asset = asset_for(actor, asset_id, lock=True)
    check_version(asset, expected_version)
    values = checked(changes)
    if values.get("name", asset.name).lower() != asset.key:
        raise Refused(_("Alerts find an asset by its name: enter another name as a new asset."), field="name")
    if "groups" in values:
        values["groups"] = list(dict.fromkeys(_spelt(values["groups"])))
    different = differences(asset, values)
    if different:
        _write(asset, {**values, "listed": True})
        drop_unused_groups(_left(different))
        AssetChange.objects.create(asset=asset, verb="changed", data=different, **_who(actor))
        audit.record(actor.user, "asset.changed", asset.name, id=asset.pk, fields=sorted(different))
    return asset


@transaction.atomic
def remove(actor: Actor, asset_id: int | str, *, expected_version: int | None = None) -> None:
    """Take an asset out of the inventory, with what people said of it. Where alerts or incidents name it, it stays for
    those who see them, as it would without the inventory; nobody else can tell. Needs the right to manage settings.

    Raises Refused if it is not in the inventory, Stale, Missing, Forbidden."""
    may_manage(actor)
    asset = asset_for(actor, asset_id, lock=True)
    check_version(asset, expected_version)
    if not asset.listed:
        raise Refused(_(NAMED_ONLY))
    groups = list(asset.groups)
    audit.record(actor.user, "asset.removed", asset.name, id=asset.pk)
    if asset.alert_links.exists() or asset.incident_links.exists():
        _write(asset, {**SAID, "listed": False})
        AssetChange.objects.create(asset=asset, verb="removed", **_who(actor))
    else:
        asset.delete()
    drop_unused_groups(groups)


def may_work(actor: Actor) -> None:
    """Raises Forbidden for whoever may not work on cases."""
    if actor.user is not None and not may(actor.user, "work_cases"):
        raise Forbidden(_("The permission to work on cases is missing."))


def may_manage(actor: Actor) -> None:
    """Raises Forbidden for whoever may not manage settings."""
    if actor.user is not None and not may(actor.user, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))


def check_version(asset: Asset, expected: int | None) -> None:
    """Raise Stale when the asset changed since the form or the ETag was made (casework.md 5)."""
    if expected is not None and asset.version != expected:
        raise Stale(_("%(name)s was changed in the meantime. Nothing was saved.") % {"name": asset.name}, current=asset)


def _row(name: str) -> Asset:
    """The row of this name, locked; made if it is not there."""
    rows = Asset.objects.select_for_update().filter(key=name.lower())
    for _attempt in range(3):
        if asset := rows.first():
            return asset
        try:
            with transaction.atomic():
                return Asset.objects.create(name=name, key=name.lower(), version=0)
        except IntegrityError:  # made by an alert or by somebody else at this moment
            continue
    raise Missing(_("There is no asset %(name)s.") % {"name": f"{name:.60}"})


def _write(asset: Asset, values: dict[str, Any]) -> None:
    if "groups" in values:
        values["groups"] = list(dict.fromkeys(_spelt(values["groups"])))
    for name, value in values.items():
        setattr(asset, name, value)
    asset.version += 1
    asset.updated_at = clock.now()
    asset.save(update_fields=[*values, "version", "updated_at"])


def _spelt(groups: list[str]) -> list[str]:
    stored = known_groups(groups)
    return [stored[name.lower()] for name in groups]


def _left(different: dict[str, list[Any]]) -> list[str]:
    old, new = different.get("groups", ([], []))
    return [name for name in old if name not in new]


def _who(actor: Actor) -> dict[str, Any]:
    return {"at": clock.now(), "actor_id": actor.id if actor.type == "user" else None, "actor_name": actor.name[:200]}
