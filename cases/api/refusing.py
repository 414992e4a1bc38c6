"""Turning what actions of connectors refuse into the API's problems."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError

from soar.connectors.errors import Forbidden, NoConnector, Refused


def _same(name: str) -> str:
    return name


@contextmanager
def told(place: Callable[[str], str] = _same, *, whole: str = "detail") -> Iterator[None]:
    """Raises PermissionDenied (403), NotFound (404) or ValidationError (400) for what is refused inside. ``place`` says
    where in the body a field of the action stands; ``whole`` is for what is about no field."""
    try:
        yield
    except Forbidden as error:
        raise PermissionDenied(str(error)) from None
    except NoConnector:
        raise NotFound from None
    except Refused as error:
        raise ValidationError({place(name) or whole: [text] for name, text in error.errors.items()}) from None
