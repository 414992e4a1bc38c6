"""A connector to a product that keeps alerts of its own: they are read from it, and told back to (connectors.md 4)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soar.connectors.base import Connector

READ = "alerts.read"  # the operation of the calls that read alerts, whose rows are not kept for long


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an alert here: ``status`` new, in_progress, resolved; ``findings`` true_positive,
    benign_true_positive, false_positive, noteworthy, or "" for none."""

    status: str
    findings: str = ""


class AlertDesk(Connector):
    """All verbs make HTTP calls, so they are called outside of transactions. All raise ConnectorError.

    ``server_time``: of the product's last answer, None before the first."""

    server_time: datetime | None = None

    @abstractmethod
    def alert_pages(self, start: datetime, end: datetime) -> Iterator[list[dict[str, Any]]]:
        """What was made or changed from ``start`` to ``end``, a page at a time; some come twice."""

    @abstractmethod
    def identify(self, item: dict[str, Any]) -> tuple[str, str]:
        """The id of an alert, and what differs after each change of it: the time, and behind a space what tells two
        changes at one time apart. At most 300 and 40 characters; ("", "") for no alert."""

    @abstractmethod
    def tell_state(self, reference: str, state: State) -> str:
        """Bring the alert there to ``state``. A sentence of what came of it; nothing is sent if it is so already."""

    @abstractmethod
    def tell_note(self, reference: str, text: str, mark: str, *, again: bool) -> str:
        """Add a note that bears ``mark``. ``again``: it may be there already, so that is asked first."""
