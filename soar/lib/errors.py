"""What an action says when it does not do what it was asked. Pages and the API turn these into answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class CaseError(Exception):
    """Nothing was changed. ``message`` is a sentence for people; ``field`` the input it is about."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, *, field: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.extra = extra


class Refused(CaseError):
    """The input breaks a rule."""


class Forbidden(CaseError):
    """The person sees the thing but lacks a right; the message names it."""

    status = 403
    code = "forbidden"


class Missing(CaseError):
    """Not there, or not to be seen by this person: the two are never told apart (access.md 4)."""

    status = 404
    code = "not_found"


@contextmanager
def missing_as(message: str) -> Iterator[None]:
    """Inside, whatever is missing is missing in these words: of a thing that hangs on another one, nobody hears whether
    it is not there or what it hangs on is not theirs to see, nor the name of that (access.md 4)."""
    try:
        yield
    except Missing:
        raise Missing(message) from None


class Conflict(CaseError):
    """The thing is in a state that does not allow this; ``extra`` may hold a ``url``."""

    status = 409
    code = "conflict"


class Stale(CaseError):
    """Somebody changed it since it was read. ``extra["current"]`` is the row as it is now (casework.md 5)."""

    status = 412
    code = "stale"
