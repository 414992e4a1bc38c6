"""Who sees an object, at which level, and why: by role, by team, as owner, by a grant (access.md 5).

The database decides who goes which way, by the same conditions for the list, its figures and a single question."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import BooleanField, Count, ExpressionWrapper, Prefetch, Q, QuerySet

from soar.accounts.access import holding, rows
from soar.accounts.access.kinds import Grantable, Way
from soar.accounts.access.rows import Grant
from soar.accounts.models import User

PAGE = 25


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody sees the object. ``type``: role, team, everybody, owner or grant; ``grant`` is the one meant."""

    type: str
    text: str
    detail: str = ""
    level: str = ""
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """One person: ``level`` is what all reasons together give, "" for somebody who sees nothing. ``hindrance`` says
    why a grant gives nothing. ``roles``: names of roles and teams."""

    user: User
    level: str
    reasons: list[Reason]
    grant: Grant | None = None
    hindrance: str = ""
    roles: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A way that the restriction closes: how many people go it, and at which level."""

    text: str
    detail: str
    people: int


@dataclass
class Readers:
    """Everybody who sees one object. Made for one answer: it keeps what it has read."""

    kind: Grantable
    obj: Any
    _with: dict[str, tuple[int, list[int]]] | None = field(default=None, init=False)

    def people(self, *, text: str = "", page: int = 1, size: int = PAGE) -> tuple[list[Person], int]:
        """A page of those who see it, those with a grant of their own first, and how many there are in all."""
        found: Any = self._annotated()  # with marks that the type checker does not know
        found = found.filter(self._seeing() | Q(own=True))
        if text:
            found = found.filter(
                Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text)
            )
        total = found.count()
        first = (page - 1) * size
        listed = found.order_by("-own", "first_name", "username")[first : first + size]
        return self._persons(listed), total

    def among(self, people: Iterable[int]) -> set[int]:
        """Ids of those of these people who are active and see it."""
        seeing = User.objects.filter(self._seeing(), pk__in=list(people), is_active=True)
        return set(seeing.values_list("pk", flat=True))

    def person(self, user: User) -> Person:
        """One person, whether or not they see it."""
        return self._persons(self._annotated().filter(pk=user.pk))[0]

    def held_back(self, *, keep: Iterable[int] = ()) -> tuple[list[Held], int]:
        """What the restriction closes, or would: each way that has people, with how many, and how many would see the
        object by one of them and do not by a grant, without those whom the rules of the restriction would ``keep``."""
        ways = [way for way in self.kind.ways(self.obj, self._has) if not way.always]
        figures = {f"way{n}": Count("pk", filter=way.who) for n, way in enumerate(ways)}
        lost = self._any(ways) & ~self._granted() & ~self._any(self._lasting()) & ~Q(pk__in=list(keep))
        told = User.objects.filter(is_active=True).aggregate(**figures, lost=Count("pk", filter=lost))
        held = [Held(way.text, way.detail, told[f"way{n}"]) for n, way in enumerate(ways)]
        return [one for one in held if one.people], told["lost"]

    def _ways(self) -> list[Way]:
        return self._lasting() if self.kind.is_closed(self.obj) else self.kind.ways(self.obj, self._has)

    def _lasting(self) -> list[Way]:
        return [way for way in self.kind.ways(self.obj, self._has) if way.always]

    def _seeing(self) -> Q:
        return self._any(self._ways()) | self._granted()

    def _granted(self) -> Q:
        own, by_group = rows.held(self.kind, self.kind.counted(self.obj))
        return (own | by_group) & (self._has(self.kind.needed) if self.kind.needed else Q())

    @staticmethod
    def _any(ways: list[Way]) -> Q:
        return reduce(or_, (way.who for way in ways), Q(pk__in=[]))

    def _has(self, codename: str) -> Q:
        """That somebody holds a permission of the product, by a role or themselves."""
        if self._with is None:
            self._with = holding.groups_by_permission()
        return Q(holding.Holds(*self._with.get(codename, holding.NOBODY)))

    @cached_property
    def _group_grants(self) -> dict[int, Grant]:
        return {one.holder_id: one for one in rows.group_grants_on(self.kind, self.kind.counted(self.obj))}

    def group_grants(self) -> list[Grant]:
        """Grants to teams and roles on the object, by name."""
        return list(self._group_grants.values())

    def _annotated(self) -> QuerySet[User]:
        own, _by_group = rows.held(self.kind, self.kind.counted(self.obj))
        marks = {"own": own, "needed_ok": self._has(self.kind.needed) if self.kind.needed else Q(pk__isnull=False)}
        marks |= {f"way{n}": way.who for n, way in enumerate(self._ways())}
        marks |= {f"role_{level}": condition for level, condition in self.kind.role_levels(self._has)}
        groups = Group.objects.select_related("team", "role").order_by("name")
        flags = {name: ExpressionWrapper(mark, output_field=BooleanField()) for name, mark in marks.items()}
        people = User.objects.filter(Q(is_active=True) | own).annotate(**flags)
        return people.defer("password").prefetch_related(Prefetch("groups", queryset=groups, to_attr="own_groups"))

    def _persons(self, listed: Iterable[Any]) -> list[Person]:
        users = list(listed)
        own = {
            one.holder_id: one
            for one in rows.grants_on(self.kind, self.kind.counted(self.obj), only=[user.pk for user in users])
        }
        ways, levels = self._ways(), [level for level, _condition in self.kind.role_levels(self._has)]
        return [self._person(user, own.get(user.pk), self._group_grants, ways, levels) for user in users]

    def _person(
        self, user: Any, own: Grant | None, groups: dict[int, Grant], ways: list[Way], levels: list[str]
    ) -> Person:
        by_role = next((level for level in levels if getattr(user, f"role_{level}")), self.kind.levels[0])
        found = [
            Reason(way.type, way.text, way.detail, by_role)
            for n, way in enumerate(ways)
            if getattr(user, f"way{n}") and user.is_active
        ]
        hindrance = "disabled" if not user.is_active else "" if user.needed_ok else "role"
        given = [own] if own else []
        given += [groups[group.pk] for group in user.own_groups if group.pk in groups]
        found += [Reason("grant", one.name if one.is_group else "", one.reason, one.level, one) for one in given]
        counted = found if not hindrance else []
        level = max((one.level for one in counted), key=self.kind.levels.index, default="")
        roles = ", ".join(rows.group_name(group) for group in user.own_groups)
        return Person(user, level, found, own, hindrance if given else "", roles)


def group_sizes(grants: Iterable[Grant]) -> dict[int, int]:
    """How many active people are in each of the groups that hold these grants."""
    wanted = [one.holder_id for one in grants if one.is_group]
    members = User.groups.through.objects.filter(group_id__in=wanted, user__is_active=True)
    return dict(members.values_list("group_id").annotate(n=Count("pk")))
