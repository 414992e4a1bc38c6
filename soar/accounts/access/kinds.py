"""What can be granted: a kind of object with its levels and tables, made on the floor that owns it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model, Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from soar.accounts.levels import Kind
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib.errors import Forbidden, Missing, Refused

# A condition on users: that they hold a permission of the product, by its codename.
Has = Callable[[str], Q]


@dataclass(frozen=True, slots=True)
class Way:
    """How people come to see an object without a grant. ``type``: role, team, everybody or owner; ``who`` says which
    people go this way; ``text`` and ``detail`` are the reason, for people. ``always``: no restriction closes it."""

    type: str
    text: str
    who: Q
    detail: str = ""
    always: bool = False


class Grantable:
    """One kind of thing on which grants are made. Subclasses say how it is found and who sees it without a grant."""

    name: ClassVar[str]  # as in settings and in addresses of the API
    rule: ClassVar[Kind]  # its levels and tables
    model: ClassVar[type[Model]]
    needed: ClassVar[str] = ""  # without this permission of the product a grant shows nothing
    manager: ClassVar[str] = ""  # whoever holds this permission of the product manages all of the kind
    noun: ClassVar[Any]  # "the incident", for pages
    plural: ClassVar[Any]  # "Incidents", the list that its name ``<kind>-list`` leads to
    closable: ClassVar[bool] = False  # it can be restricted
    is_setup: ClassVar[bool] = False  # part of how the portal is set up: auditors read who is let in (rulings 20)

    @property
    def levels(self) -> tuple[str, ...]:
        """From the lowest; each contains the former (rulings 20)."""
        return tuple(self.rule.levels)

    @property
    def users(self) -> type[Any]:
        """Guardian's direct table of grants to people."""
        return self.rule.tables()[0]

    @property
    def groups(self) -> type[Any]:
        """Guardian's direct table of grants to groups."""
        return self.rule.tables()[1]

    def codename(self, level: str) -> str:
        """Guardian's permission for a level."""
        return f"{level}_{self.rule.noun}"

    def found(self, ref: str) -> QuerySet[Any]:
        """The one object that ``ref`` names in an address, or none."""
        raise Missing(_("There is no %(name)s %(ref)s.") % {"name": self.name, "ref": f"{ref!s:.60}"})

    def pks(self, user: User, refs: Iterable[str]) -> list[int]:
        """Ids of the things that these references name, whether or not they are there: what the user does not see is
        not told from what is not there. Raises Refused for a reference that can name none."""
        wanted = [str(ref) for ref in refs]
        if odd := next((ref for ref in wanted if not _is_id(ref)), None):
            raise Refused(_("%(odd)s is no id.") % {"odd": f"{odd:.40}"}, field="ids")
        return [int(ref) for ref in wanted]

    def selected(self, user: User, filters: Mapping[str, Any]) -> list[int]:
        """Ids of what the user sees and these filters of the list let through. Raises Refused beside a filter."""
        raise Refused(_("Name them by id: there is no filter for this kind."), field="filter")

    def title(self, obj: Any) -> str:
        """What people call it: ``INC-7``."""
        return str(obj)

    def ref(self, obj: Any) -> str:
        """What stands for it in an address."""
        return str(obj.pk)

    def url(self, obj: Any) -> str:
        """The address of its page."""
        return ""

    def counted(self, obj: Any) -> Any:
        """The object whose grants count for it: itself, but for what follows another one."""
        return obj

    def by_role(self, user: User) -> bool:
        """Whether the user manages all of the kind."""
        return bool(self.manager) and may(user, self.manager)

    def sees(self, user: User, obj: Any) -> bool:
        """Whether the user sees the object. Managing people alone shows nothing."""
        return self.by_role(user) or self.rule.is_granted(user, obj, self.levels[0])

    def manages(self, user: User, obj: Any) -> bool:
        """Whether somebody who sees the object (``sees``) may say who else does: by a grant, or by a permission of the
        product unless only grants count. Who manages people does so up to what they hold (``check_gives``)."""
        if not self.is_closed(obj) and (may(user, "manage_people") or self.by_role(user)):
            return True
        return self.rule.is_granted(user, obj, "manage")

    def holds(self, user: User, obj: Any, level: str) -> bool:
        """Whether somebody who sees the object holds ``level`` on it, beside the right to say who sees it."""
        return self.by_role(user) or self.rule.is_granted(user, obj, level)

    def check_gives(self, user: User | None, obj: Any, level: str) -> None:
        """Raise Forbidden for a level that somebody who manages the object's access neither gives nor takes away: one
        that they do not hold (rulings 20). None is Soar itself."""
        if user is None or level == self.levels[0] or self.rule.is_granted(user, obj, "manage"):
            return
        if not self.holds(user, obj, level):
            raise Forbidden(
                _("You do not hold “%(level)s” on %(self)s yourself.") % {"level": level, "self": self.title(obj)},
                field="level",
            )

    def given_by(self, user: User, obj: Any) -> list[str]:
        """The levels for which ``check_gives`` raises nothing, from the lowest: those that a form offers."""
        lowest, *higher = self.levels
        if self.holds(user, obj, higher[-1]) or self.rule.is_granted(user, obj, "manage"):
            return [lowest, *higher]
        return [lowest, *takewhile(lambda level: self.holds(user, obj, level), higher)]

    def in_scope(self, user: User, level: str = "") -> bool:
        """Whether the token of this request, if there is one, reaches ``level``, or the lowest, of some thing: by what
        is granted on it, or by a permission of the product."""
        named = {"manage_people", self.manager} & set(user.token_scopes or ())
        return bool(named) or self.rule.in_scope(user, level or self.levels[0])

    def check_manages_some(self, user: User) -> None:
        """Raises Forbidden for somebody who manages the access of nothing: they are not told who is who, either."""
        if not (may(user, "manage_people") or self.by_role(user)) and not self.rule.any_granted(user, "manage"):
            raise Forbidden(_("You manage the access of nothing of this kind."))

    def is_closed(self, obj: Any) -> bool:
        """Whether roles and teams give nothing (access.md 3)."""
        return False

    def kept(self, obj: Any) -> list[int]:
        """Ids of the people who would keep sight by rule if it were restricted, besides who does it."""
        return []

    def set_closed(self, user: User, obj: Any, closed: bool, reason: str) -> None:
        """Restrict it, or no longer. Raises CaseError."""

    def ways(self, obj: Any, has: Has) -> list[Way]:
        """Who sees the object without a grant, and why; as if it were not closed."""
        return []

    def role_levels(self, has: Has) -> list[tuple[str, Q]]:
        """Levels above the lowest that permissions of the product give to those who see the object, highest first."""
        return []

    def changed(self, user: User | None, obj: Any, verb: str, data: dict[str, Any]) -> None:
        """Called in the transaction of a change, after its audit row: the object's own record of it."""

    def check_left(self, obj: Any, *, had: bool) -> None:
        """Called after grants went or shrank; ``had``: somebody managed it before. Raises Conflict if it must not be
        left so."""

    def has_manager(self, obj: Any) -> bool:
        """Whether what ``check_left`` asks for is there."""
        return True


def by_id(rows: QuerySet[Any], ref: str) -> QuerySet[Any]:
    """The row whose id the text is, or none."""
    return rows.filter(pk=int(ref)) if _is_id(ref) else rows.none()


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


def kinds() -> dict[str, Grantable]:
    """All kinds by name."""
    return {name: import_string(where) for name, where in settings.GRANTABLE.items()}


def kind_named(name: str) -> Grantable:
    """The kind of this name. Raises KeyError for a name that stands in no setting."""
    made: Grantable = import_string(settings.GRANTABLE[name])
    return made


def seen(kind: Grantable, user: User, ref: str) -> Any:
    """The object, for a person who sees it. Raises Missing."""
    obj = kind.found(ref).first()
    if obj is None or not kind.sees(user, obj):
        raise Missing(_("There is no %(name)s %(ref)s.") % {"name": kind.name, "ref": f"{ref!s:.60}"})
    return obj


def read_by(kind: Grantable, user: User, ref: str) -> Any:
    """The object, for a person who may read who is let in: who sees it, or of what is set up who audits. Raises
    Missing."""
    obj = kind.found(ref).first()
    if obj is not None and kind.is_setup and may(user, "view_setup"):
        return obj
    return seen(kind, user, ref)


def managed(kind: Grantable, user: User | None, ref: str, *, lock: bool = False) -> Any:
    """The object, for a person who may say who sees it, or for Soar itself (None); with ``lock`` under its row's lock,
    and then what they may is asked again. Raises Missing or Forbidden."""
    if user is not None:
        seen(kind, user, ref)
    found = kind.found(ref)
    obj = (found.select_for_update(of=("self",)) if lock else found).first()
    if obj is None:
        raise Missing(_("There is no %(name)s %(ref)s.") % {"name": kind.name, "ref": f"{ref!s:.60}"})
    if user is not None and not kind.manages(user, obj):
        raise Forbidden(
            _("You may see %(kind)s but not say who else does: the level “manage” is missing.")
            % {"kind": kind.title(obj)}
        )
    return obj
