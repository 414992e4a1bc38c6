"""What can go wrong with the embedded database, told in one line."""

from __future__ import annotations


class EmbeddedError(Exception):
    """The text says what is wrong and what to do about it; it is shown as it is."""


class InUse(EmbeddedError):
    """Another process holds this data folder. ``holder`` says which, as far as known."""

    def __init__(self, folder: object, holder: str) -> None:
        super().__init__(f"{folder} is in use by {holder or 'another process'}.")
        self.holder = holder
