"""What people and teams own elsewhere in the portal, and how it is handed over: asked of ``settings.OWNINGS``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from soar.accounts.models import Team, User
from soar.lib.counts import counted_together

AT_MOST = 1000  # are counted; of more it is said that there are more


@dataclass(frozen=True, slots=True)
class Held:
    """Things of one sort that somebody owns. ``name`` is the word of the API, ``url`` where they are listed;
    ``movable``: they can be handed to somebody."""

    name: str
    label: str | Promise
    rows: QuerySet[Any, Any]
    url: str = ""
    movable: bool = True


@dataclass(frozen=True, slots=True)
class Owned:
    """``count`` of them (at least so many, with ``more``), with what is said of a sort in ``Held``."""

    name: str
    label: str | Promise
    count: int
    more: bool
    url: str
    movable: bool


class Owning(Protocol):
    """One sort of things that people or teams own."""

    def of_user(self, viewer: User | None, user: User) -> Held | None:
        """What the person owns, as far as ``viewer`` sees it; None for a sort that people do not own."""

    def of_team(self, viewer: User | None, team: Team) -> Held | None:
        """What belongs to the team, as far as ``viewer`` sees it; None for a sort that teams do not own."""

    def hand_over(self, actor: User, user: User, to: User) -> int:
        """Give what is still worked on to somebody else; how many. Raises CaseError, and then none was given."""

    def move(self, actor: User | None, team: Team, to: Team | None) -> int:
        """Give what belongs to a team to another one, or to none; how many."""


def sorts() -> Iterator[Owning]:
    """All sorts there are. Raises ImportError for a name in the settings that means nothing."""
    return (import_string(name) for name in settings.OWNINGS)


def of_user(viewer: User | None, user: User) -> list[Owned]:
    """What the person owns, sorts with nothing left out. One query."""
    return _counted(sort.of_user(viewer, user) for sort in sorts())


def of_team(viewer: User | None, team: Team) -> list[Owned]:
    """What belongs to the team, sorts with nothing left out. One query."""
    return _counted(sort.of_team(viewer, team) for sort in sorts())


def _counted(found: Iterable[Held | None]) -> list[Owned]:
    held = {one.name: one for one in found if one is not None}
    numbers = counted_together({name: one.rows for name, one in held.items()}, AT_MOST)
    return [_owned(one, numbers[name]) for name, one in held.items() if numbers.get(name)]


def _owned(held: Held, number: int) -> Owned:
    return Owned(held.name, held.label, min(number, AT_MOST), number > AT_MOST, held.url, held.movable)
