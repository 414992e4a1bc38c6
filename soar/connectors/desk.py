"""A connector to a product that is told what became here of the alerts it keeps (connectors.md 4)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from soar.connectors.base import Connector


@dataclass(frozen=True, slots=True)
class State:
    """What is known of an alert here: ``status`` new, in_progress, resolved; ``findings`` true_positive,
    benign_true_positive, false_positive, noteworthy, or "" for none."""

    status: str
    findings: str = ""


class AlertDesk(Connector):
    """All verbs make HTTP calls, so they are called outside of transactions. All raise ConnectorError."""

    @abstractmethod
    def tell_state(self, reference: str, state: State) -> str:
        """Bring the alert there to ``state``. A sentence of what came of it; nothing is sent if it is so already."""

    @abstractmethod
    def tell_note(self, reference: str, text: str, mark: str, *, again: bool) -> str:
        """Add a note that bears ``mark``. ``again``: it may be there already, so that is asked first."""
