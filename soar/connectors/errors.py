"""Why a connector did not do what it was asked."""

from __future__ import annotations

from typing import Self

from soar.lib.http import RemoteError


class ConnectorError(RemoteError):
    """``permanent``: trying again will not help. ``outcome_unknown``: the effect may have happened (rulings 6)."""

    @classmethod
    def of(cls, error: RemoteError) -> Self:
        """The same reason, told by a connector."""
        return cls(
            error.message,
            permanent=error.permanent,
            status=error.status,
            outcome_unknown=error.outcome_unknown,
            retry_after=error.retry_after,
        )


class NoConnector(ConnectorError):
    """There is no such account, or this person may not use it: the two are never told apart."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no connector {name!r}.", permanent=True)


class HeldBack(Exception):
    """What a connector found must not be touched before people were asked: ``why``. No ConnectorError, so that no
    connector takes it for an answer of its product."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Refused(Exception):
    """An action did nothing. ``errors``: sentence by field; "" is about the whole."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = errors


class Forbidden(Refused):
    """The person lacks a right."""

    def __init__(self, message: str) -> None:
        super().__init__({"": message})
