"""What goes from one incident to another in a merge, part by part (casework.md 9)."""

from __future__ import annotations

from cases.actions.moving.alerts import Alerts
from cases.actions.moving.base import Part, Told, Way
from cases.actions.moving.evidence import Files
from cases.actions.moving.fields import Marks, OwnFields, Words
from cases.actions.moving.followers import Followers
from cases.actions.moving.hooks import hooked
from cases.actions.moving.linked import Named, Relations
from cases.actions.moving.owners import Owners
from cases.actions.moving.tasks import Tasks
from cases.actions.moving.tickets import Tickets

__all__ = ["Part", "Told", "Way", "parts"]


def parts() -> list[Part]:
    """All parts, in the order in which they go; ``settings.MERGE_PARTS`` adds those of other applications."""
    return [
        Alerts(),
        *Named.all(),
        Files(),
        Tasks(),
        Owners(),
        Followers(),
        *Words.all(),
        OwnFields(),
        Tickets(),
        Relations(),
        *hooked(),
        Marks(),
    ]
