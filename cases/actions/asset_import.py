"""A file of assets: first a plan that says what would be made and changed, then the plan itself, whole or not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from cases.actions.asset_fields import checked, differences, drop_unused_groups, known_groups
from cases.actions.assets import SAID, TOLD, may_manage
from cases.actors import Actor
from cases.asset_csv import Problem, decoded, parsed
from cases.errors import Missing, Refused, Stale
from cases.models import Asset, AssetChange, AssetGroup, AssetImport
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib import clock

CHUNK = 2000
KEPT = timedelta(hours=24)
LOCK = 0x61737374  # advisory: one import at a time
_UPSERT = """
INSERT INTO cases_asset AS a (name, key, type, system, addresses, groups, criticality, tags, listed, created_at,
    updated_at, version, demo)
SELECT name, key, type, system, addresses, groups, criticality, tags, true, %(now)s, %(now)s, 1, false
FROM json_to_recordset(%(rows)s::json) AS r(name text, key text, type text, system text, addresses varchar[],
    groups varchar[], criticality smallint, tags varchar[])
ORDER BY key COLLATE "C"
ON CONFLICT (key) DO UPDATE SET name = EXCLUDED.name, type = EXCLUDED.type, system = EXCLUDED.system,
    addresses = EXCLUDED.addresses, groups = EXCLUDED.groups, criticality = EXCLUDED.criticality,
    tags = EXCLUDED.tags, listed = true, updated_at = EXCLUDED.updated_at, version = a.version + 1
RETURNING id, key
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One asset that would be made (no ``changes``) or changed: ``{"field": [old, new]}``. ``row`` is all of it."""

    name: str
    row: dict[str, Any]
    changes: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """What a file would do. With ``problems`` it does nothing."""

    created: list[Step] = field(default_factory=list)
    changed: list[Step] = field(default_factory=list)
    same: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Tells two plans apart: what was looked at must be what is done."""
        said = [[step.row["key"], step.row, step.changes] for step in (*self.created, *self.changed)]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def plan(actor: Actor, text: str, *, lock: bool = False) -> Plan:
    """What the file would make and change, as far as ``actor`` sees the assets; ``lock`` locks those there are.
    Raises Refused for a file without usable columns, Forbidden."""
    may_manage(actor)
    table = parsed(text)
    found = Plan(problems=table.problems)
    wanted = [values for line in table.lines if (values := _checked(line.number, line.fields, found.problems))]
    if not found.problems:
        spelling = _spelling(wanted)
        for part in _chunks(wanted):
            _compare(found, part, _there(actor.user, part, lock), spelling)
    found.problems.sort(key=lambda one: one.line)
    return found


@transaction.atomic
def keep(actor: Actor, name: str, body: bytes) -> tuple[AssetImport, Plan]:
    """The plan of a file, and the file kept for a day until its sender decides. Raises as ``plan`` does."""
    may_manage(actor)
    if actor.user is None:
        raise Refused(_("A file to look at has a sender."))
    text = decoded(body)
    found = plan(actor, text)
    old = AssetImport.objects.filter(created_at__lt=clock.now() - KEPT) | AssetImport.objects.filter(user=actor.user)
    old.delete()
    kept = AssetImport.objects.create(user=actor.user, name=name[:200], text=text, plan=found.digest)
    return kept, found


def kept_import(user: User, pk: int) -> AssetImport:
    """The file that this person sent. Raises Missing for another's, or one that is done with or too old."""
    rows = AssetImport.objects.filter(user=user, created_at__gte=clock.now() - KEPT)
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Missing(_("This file is no longer kept. Send it again."))
    return found


@transaction.atomic
def apply_kept(actor: Actor, pk: int) -> Plan:
    """Do what the preview said. Raises Stale when assets changed so that it would be something else, Missing."""
    assert actor.user is not None
    kept = kept_import(actor.user, pk)
    done = apply(actor, kept.text, name=kept.name, expected=kept.plan)
    kept.delete()
    return done


@transaction.atomic
def apply(actor: Actor, text: str, *, name: str = "", expected: str = "") -> Plan:
    """Import the file, all of it or nothing. ``expected`` is the digest of the plan that was agreed to.

    Raises Refused (extra ``problems``: a list of line, column and message) when a line is wrong, Stale when the plan is
    another by now, Forbidden."""
    may_manage(actor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    found = plan(actor, text, lock=True)
    if found.problems:
        first = found.problems[0]
        told = [asdict(one) for one in found.problems]
        raise Refused(
            _("Line %(line)s: %(message)s Nothing was saved.") % {"line": first.line, "message": first.message},
            field="file",
            problems=told,
        )
    if expected and found.digest != expected:
        raise Stale(_("Assets were changed since the preview. Nothing was saved; look at it again."), current=found)
    _write(actor, found)
    figures: dict[str, Any] = {"created": len(found.created), "changed": len(found.changed), "same": found.same}
    audit.record(actor.user, "asset.imported", name, **figures)
    return found


def _checked(number: int, fields: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The values as stored; {} and a problem when one is wrong."""
    given = {**fields, "criticality": fields["criticality"].lower()} if "criticality" in fields else fields
    try:
        return checked(given)
    except Refused as error:
        if len(problems) < 1000:
            problems.append(Problem(number, error.field or "", error.message))
        return {}


def _spelling(wanted: list[dict[str, Any]]) -> dict[str, str]:
    """Each group by its name in lower case: as it is stored, or as the file spells it first."""
    found: dict[str, str] = {}
    for values in wanted:
        for name in values.get("groups", ()):
            found.setdefault(name.lower(), name)
    return {**found, **dict(AssetGroup.objects.filter(key__in=list(found)).values_list("key", "name"))}


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _there(user: User | None, part: Iterable[dict[str, Any]], lock: bool) -> dict[str, Asset]:
    """Those of the assets that the person sees, by key."""
    rows = Asset.objects.filter(key__in=sorted(values["name"].lower() for values in part)).order_by("key")
    if user is not None:
        rows = rows.visible_to(user)
    if lock:
        rows = rows.select_for_update(of=("self",))
    return {asset.key: asset for asset in rows}


def _compare(found: Plan, part: list[dict[str, Any]], there: dict[str, Asset], spelling: dict[str, str]) -> None:
    for values in part:
        if "groups" in values:
            values["groups"] = list(dict.fromkeys(spelling[name.lower()] for name in values["groups"]))
        asset = there.get(values["name"].lower())
        if asset is None:
            found.created.append(Step(values["name"], {**TOLD, **SAID, **values, "key": values["name"].lower()}))
            continue
        different = differences(asset, {name: value for name, value in values.items() if name != "name"})
        if not asset.listed:
            different["inventory"] = ["no", "yes"]
        if different:
            kept = {name: getattr(asset, name) for name in (*TOLD, *SAID)}
            row = {**kept, **values, "name": asset.name, "key": asset.key}
            found.changed.append(Step(asset.name, row, different))
        else:
            found.same += 1


def _write(actor: Actor, found: Plan) -> None:
    steps = sorted((*found.created, *found.changed), key=lambda step: step.row["key"])
    known_groups(sorted({name for step in steps for name in step.row["groups"]}))
    now = clock.now()
    who = {"at": now, "actor_id": actor.id if actor.type == "user" else None, "actor_name": actor.name[:200]}
    for part in _chunks(steps):
        by_key = {step.row["key"]: step for step in part}
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, {"rows": json.dumps([step.row for step in part]), "now": now})
            stored = [(pk, by_key[key]) for pk, key in cursor.fetchall()]
        AssetChange.objects.bulk_create(
            AssetChange(
                asset_id=pk, verb="changed" if step.changes else "created", how="import", data=step.changes, **who
            )
            for pk, step in stored
        )
    drop_unused_groups(_left(found))


def _left(found: Plan) -> list[str]:
    """Groups that some asset was taken out of."""
    pairs = [step.changes["groups"] for step in found.changed if "groups" in step.changes]
    return sorted({name for old, new in pairs for name in old if name not in new})
