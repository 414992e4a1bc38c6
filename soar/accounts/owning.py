"""What people and teams own elsewhere in the portal, and how it is handed over: asked of ``settings.OWNINGS``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from soar.accounts.models import Team, User


@dataclass(frozen=True, slots=True)
class Owned:
    """``count`` things of one sort (at least so many, with ``more``). ``name`` is the word of the API, ``url`` where
    they are listed; ``movable``: they can be handed to somebody."""

    name: str
    label: str | Promise
    count: int
    more: bool = False
    url: str = ""
    movable: bool = True


class Owning(Protocol):
    """One sort of things that people or teams own."""

    def of_user(self, viewer: User | None, user: User) -> Owned | None:
        """What the person owns, as far as ``viewer`` sees it; None for a sort that people do not own."""

    def of_team(self, viewer: User | None, team: Team) -> Owned | None:
        """What belongs to the team, as far as ``viewer`` sees it; None for a sort that teams do not own."""

    def hand_over(self, actor: User, user: User, to: User) -> int:
        """Give what is still worked on to somebody else; how many. Raises CaseError, and then none was given."""

    def move(self, actor: User | None, team: Team, to: Team | None) -> int:
        """Give what belongs to a team to another one, or to none; how many."""


def sorts() -> Iterator[Owning]:
    """All sorts there are. Raises ImportError for a name in the settings that means nothing."""
    return (import_string(name) for name in settings.OWNINGS)


def of_user(viewer: User | None, user: User) -> list[Owned]:
    """What the person owns, sorts with nothing left out."""
    found = (sort.of_user(viewer, user) for sort in sorts())
    return [one for one in found if one is not None and one.count]


def of_team(viewer: User | None, team: Team) -> list[Owned]:
    """What belongs to the team, sorts with nothing left out."""
    return [one for one in (sort.of_team(viewer, team) for sort in sorts()) if one is not None and one.count]
