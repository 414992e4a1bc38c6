"""Every change of a grant: rights, checks, rows, audit row and the object's own record, in one transaction.

``who`` None is Soar itself or a management command."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.access import rows
from soar.accounts.access.kinds import Grantable, managed, seen
from soar.accounts.access.rows import Grant, Holder
from soar.accounts.models import User
from soar.accounts.models.grant import REASON_AT_MOST
from soar.lib import clock
from soar.lib.clock import iso
from soar.lib.errors import Missing, Refused
from soar.lib.hidden import shown


class _Keep:
    """Stands for "as it is", where None means "no end"."""


KEEP = _Keep()
COPIED_AT_MOST = 500


@transaction.atomic
def grant(
    who: User | None,
    kind: Grantable,
    ref: str,
    holder: Holder,
    level: str,
    *,
    expires_at: datetime | _Keep | None = None,
    reason: str = "",
) -> tuple[Grant, bool]:
    """Give a person or group a level on an object, or change the one they have. Returns the grant and whether it is a
    new one; the same again changes nothing.

    Raises Missing, Forbidden (also for a level that one does not hold oneself), Refused for a level that is none, an
    end that is past or a reason that is too long, and Conflict where nobody would be left who manages it."""
    obj = managed(kind, who, ref, lock=True)
    return _give(who, kind, obj, holder, level, expires_at=expires_at, reason=reason)


@transaction.atomic
def change(
    who: User | None,
    kind: Grantable,
    ref: str,
    grant_id: str,
    *,
    level: str | None = None,
    expires_at: datetime | _Keep | None = KEEP,
    reason: str = "",
) -> Grant:
    """Another level or end for a grant that is there. Raises as ``grant``; Missing for a grant that is not there."""
    obj = managed(kind, who, ref, lock=True)
    holder, old = existing(kind, obj, grant_id)
    kind.check_gives(who, obj, old.level)
    return _give(who, kind, obj, holder, level or old.level, expires_at=expires_at, reason=reason or old.reason)[0]


@transaction.atomic
def revoke(who: User | None, kind: Grantable, ref: str, grant_id: str, *, reason: str = "") -> None:
    """Take a grant away. Raises Missing (also for one that is gone), Forbidden, and Conflict where nobody would be
    left who manages it."""
    obj = managed(kind, who, ref, lock=True)
    holder, old = existing(kind, obj, grant_id)
    kind.check_gives(who, obj, old.level)
    had = kind.has_manager(obj)
    rows.remove(kind, obj, holder)
    data = {**_named(old), "level": old.level, "reason": reason_of(reason)}
    _record(who, kind, obj, "access.revoked", data)
    kind.check_left(obj, had=had)


@transaction.atomic
def copy(who: User | None, kind: Grantable, ref: str, source_ref: str) -> list[Grant]:
    """Give what is granted on another object of the kind here too, with its ends. A grant that reaches further here
    already stays; deactivated people get none. Returns the grants that were made or raised.

    Raises Missing, Forbidden, and Refused when it is the same object or has more grants than are copied."""
    other = seen(kind, who, source_ref) if who is not None else kind.found(source_ref).first()
    obj = managed(kind, who, ref, lock=True)
    if other is None or other.pk == obj.pk:
        raise Refused(_("Choose another one to copy from."), field="source")
    theirs = [one for one in (*rows.grants_on(kind, other), *rows.group_grants_on(kind, other)) if not one.rule]
    if len(theirs) > COPIED_AT_MOST:
        raise Refused(
            _("At most %(copied_at_most)s grants are copied, there are %(count)s.")
            % {"copied_at_most": COPIED_AT_MOST, "count": len(theirs)},
            field="source",
        )
    ours = {one.id: one for one in (*rows.grants_on(kind, obj), *rows.group_grants_on(kind, obj))}
    made = []
    for one in theirs:
        if reaches(kind, ours.get(one.id), one.level, one.expires_at):
            continue
        reason = f"Copied from {kind.title(other)}"
        holder = _holder(one)
        if isinstance(holder, User) and not holder.is_active:
            continue  # nobody is let in who cannot come
        made.append(_give(who, kind, obj, holder, one.level, expires_at=one.expires_at, reason=reason)[0])
    return made


def holder_named(*, user: str | None = None, group: str | None = None) -> Holder:
    """The active person with this user name, or the team or role of this name. Raises Refused beside the field that
    names nobody, or if none or both are given."""
    if bool(user) == bool(group):
        raise Refused(_("Name a person or a group."), field="user")
    if user:
        person = User.objects.filter(username=_clean(user, 150), is_active=True).first()
        if person is None:
            raise Refused(_("There is no active user %(user)s.") % {"user": f"{user!s:.60}"}, field="user")
        return person
    name = _clean(str(group), 150)
    found = Group.objects.select_related("team").filter(Q(team__name__iexact=name) | Q(name__iexact=name)).first()
    if found is None:
        raise Refused(_("There is no team or role %(name)s.") % {"name": f"{name:.60}"}, field="group")
    return found


def give_by_rule(
    who: User | None, kind: Grantable, obj: Any, holder: Holder, level: str, rule: str, **columns: Any
) -> bool:
    """Let a stated rule give ``level`` on a locked object, unless the holder's grant reaches it without an end; one
    without an end that reaches less far stays below it. Returns whether it did. The caller has checked that the rule
    holds."""
    old = rows.grant_of(kind, obj, holder)
    lasting = old is not None and old.expires_at is None
    if old is not None and lasting and kind.levels.index(old.level) >= kind.levels.index(level):
        return False
    above = old.level if old is not None and lasting else ""
    _write(who, kind, obj, holder, level, old, above=above, rule=rule, **columns)
    return True


def end_rule(who: User | None, kind: Grantable, obj: Any, rule: str, *, only: Iterable[int] | None = None) -> None:
    """Take away what a rule gave on a locked object, from all or from ``only`` these people."""
    ended = [one for one in rows.grants_on(kind, obj, only=only) if one.rule == rule]
    for one in ended:
        kind.users.objects.filter(content_object=obj, user=one.holder_id, rule=rule).delete()
        left = rows.grants_on(kind, obj, only=[one.holder_id])
        data = {**_named(one), "level": one.level, "rule": rule, "left": left[0].level if left else ""}
        _record(who, kind, obj, "access.revoked", data)


def reaches(kind: Grantable, ours: Grant | None, level: str, expires_at: datetime | None) -> bool:
    """Whether a grant gives this level until then already: what is done for many things lowers none."""
    if ours is None or kind.levels.index(ours.level) < kind.levels.index(level):
        return False
    return ours.expires_at is None or (expires_at is not None and ours.expires_at >= expires_at)


def existing(kind: Grantable, obj: Any, grant_id: str) -> tuple[Holder, Grant]:
    """The holder and the grant of this id on the object. Raises Missing."""
    what, _, number = grant_id.partition("-")
    holder: Holder | None = None
    if number.isascii() and number.isdecimal() and len(number) < 19:
        if what == "user":
            holder = User.objects.filter(pk=int(number)).first()
        elif what == "group":
            holder = Group.objects.select_related("team").filter(pk=int(number)).first()
    found = rows.grant_of(kind, obj, holder) if holder is not None else None
    if holder is None or found is None:
        raise Missing(
            gettext("There is no grant %(grant_id)s on %(kind)s.")
            % {"grant_id": f"{grant_id!s:.40}", "kind": kind.title(obj)}
        )
    return holder, found


def _give(
    who: User | None,
    kind: Grantable,
    obj: Any,
    holder: Holder,
    level: str,
    *,
    expires_at: datetime | _Keep | None,
    reason: str,
) -> tuple[Grant, bool]:
    if level not in kind.levels:
        raise Refused(_("The level is one of: %(levels)s.") % {"levels": ", ".join(kind.levels)}, field="level")
    if isinstance(holder, User) and not holder.is_active:
        raise Refused(_("%(display_name)s is disabled.") % {"display_name": holder.display_name()}, field="user")
    kind.check_gives(who, obj, level)
    old = rows.grant_of(kind, obj, holder)
    if old is not None:
        kind.check_gives(who, obj, old.level)
    until = _until(expires_at, old)
    if old is not None and (old.level, old.expires_at, old.rule) == (level, until, ""):
        return old, False
    had = kind.has_manager(obj)
    made = _write(who, kind, obj, holder, level, old, expires_at=until, reason=reason_of(reason))
    kind.check_left(obj, had=had)
    return made, old is None


def _write(
    who: User | None, kind: Grantable, obj: Any, holder: Holder, level: str, old: Grant | None, **more: Any
) -> Grant:
    rows.write(kind, obj, holder, level, granted_by=who, **more)
    made = rows.grant_of(kind, obj, holder)
    assert made is not None  # written just now, under the object's lock
    data = {**_named(made), "level": level, "until": iso(made.expires_at), "reason": made.reason, "rule": made.rule}
    if old is not None:
        data |= {"old": old.level, "old_until": iso(old.expires_at)}
    _record(who, kind, obj, "access.changed" if old else "access.granted", data)
    return made


def _record(who: User | None, kind: Grantable, obj: Any, verb: str, data: dict[str, Any]) -> None:
    told = {name: value for name, value in data.items() if value not in (None, "")}
    audit.record(who, verb, kind.title(obj), object=kind.name, id=obj.pk, **told)
    kind.changed(who, obj, verb, told)


def _named(grant: Grant) -> dict[str, Any]:
    return {"group" if grant.is_group else "user": grant.key, "name": grant.name}


def _holder(grant: Grant) -> Holder:
    if grant.is_group:
        return Group.objects.select_related("team").get(pk=grant.holder_id)
    return User.objects.get(pk=grant.holder_id)


def _until(expires_at: datetime | _Keep | None, old: Grant | None) -> datetime | None:
    if isinstance(expires_at, _Keep):
        return old.expires_at if old is not None else None
    if expires_at is not None and expires_at <= clock.now():
        raise Refused(_("The end must lie in the future."), field="expires_at")
    return expires_at


def reason_of(reason: str) -> str:
    """A reason, cleaned. Raises Refused when it is too long."""
    text = _clean(reason)
    if len(text) > REASON_AT_MOST:
        raise Refused(
            _("At most %(reason_at_most)s characters, this has %(count)s.")
            % {"reason_at_most": REASON_AT_MOST, "count": len(text)},
            field="reason",
        )
    return text


def _clean(text: str, most: int = 0) -> str:
    clean = shown(str(text).replace("\x00", "").encode("utf-8", "replace").decode().strip())
    return clean[:most] if most else clean
