"""What the lists of the sync read of each row: a line shows little of what a link, its incident and instance hold."""

from __future__ import annotations

LINK = ("table", "state", "shown_again_at", "reason", "sys_id", "number")
INCIDENT = ("restricted", "merged_at", "access_of")
PERSON = ("username", "first_name", "last_name")


def of_link(path: str = "") -> list[str]:
    """For ``only`` of rows whose link is at ``path`` ("" or with "__" at its end): the link, where its ticket is, and
    what a level at its incident is decided by."""
    return [
        *(f"{path}{name}" for name in LINK),
        *(f"{path}incident__{name}" for name in INCIDENT),
        f"{path}instance__account__settings",
    ]


def of_person(path: str) -> list[str]:
    """For ``only``: what a person is called by."""
    return [f"{path}{name}" for name in PERSON]
