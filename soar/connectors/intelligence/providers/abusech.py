"""What URLhaus and ThreatFox of abuse.ch share: the key, and how they say that they do not know."""

from __future__ import annotations

from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.providers.base import Provider, part


class AbuseCh(Provider):
    """Answers 200 with ``query_status``: what is not known is no error there, what is wrong is none either."""

    nothing = ("no_results", "no_result")

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in a header of its own."""
        return {"Auth-Key": str(secrets.get("token", ""))}, None

    def query(self, operation: str, path: str, **content: Any) -> dict[str, Any] | None:
        """The answer of a question, None for what is not known. Raises ConnectorError for any other status."""
        found = self.fetch(operation, "POST", path, missing=0, **content)
        status = str(part(found, "query_status") or "nothing")
        if status in self.nothing:
            return None
        if status != "ok":
            raise ConnectorError(f"{self.account.name} answered: {status[:100]}.", permanent=True)
        return dict(found)
