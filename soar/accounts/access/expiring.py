"""Grants whose end has come count for nothing at once; here they are deleted, with a row in the audit log."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from soar.accounts import audit
from soar.accounts.access import rows
from soar.accounts.access.kinds import Grantable, kinds
from soar.lib.clock import iso

AT_MOST = 500  # objects of a kind in one call


def tidy() -> int:
    """Delete grants that have expired, object by object under its lock, and write that. Returns how many grants went.
    Called by the scheduler; may be called at any time."""
    return sum(_tidied(kind, pk) for kind in kinds().values() for pk in _concerned(kind))


def _concerned(kind: Grantable) -> list[int]:
    found: set[int] = set()
    for table in (kind.users, kind.groups):
        expired = table.objects.filter(_over()).values_list("content_object", flat=True)
        found |= set(expired.order_by().distinct()[:AT_MOST])
    return sorted(found)[:AT_MOST]


@transaction.atomic
def _tidied(kind: Grantable, pk: int) -> int:
    obj: Any = kind.model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()
    if obj is None:
        return 0
    before = _grants(kind, obj, expired=True)
    for table in (kind.users, kind.groups):
        table.objects.filter(_over(), content_object=obj).delete()
    after = {one.id: one.level for one in _grants(kind, obj)}
    gone = [one for one in before if after.get(one.id) != one.level]
    for one in gone:
        data: dict[str, Any] = {"group" if one.is_group else "user": one.key, "name": one.name, "level": one.level}
        data |= {"until": iso(one.expires_at)} | ({"left": after[one.id]} if one.id in after else {})
        audit.record(None, "access.expired", kind.title(obj), object=kind.name, id=obj.pk, **data)
        kind.changed(None, obj, "access.expired", data)
    return len(gone)


def _grants(kind: Grantable, obj: Any, *, expired: bool = False) -> list[rows.Grant]:
    return [*rows.grants_on(kind, obj, expired=expired), *rows.group_grants_on(kind, obj, expired=expired)]


def _over() -> Q:
    return Q(expires_at__lte=Now())
