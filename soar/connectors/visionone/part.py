"""A part of the connector: the capabilities that one corner of Vision One's interface serves."""

from __future__ import annotations

from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.visionone.client import Api

Requests = list[dict[str, Any]]


class Part:
    """As a Responder, for its capabilities alone."""

    serves: ClassVar[frozenset[str]]
    repeatable: ClassVar[frozenset[str]]

    def __init__(self, api: Api) -> None:
        self.api = api

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """Do it. Raises ConnectorError."""
        raise ConnectorError(f"Vision One cannot do {capability}.", permanent=True)

    def poll(self, capability: str, reference: str) -> Result:
        """How far it is. Raises ConnectorError; here for what is done at once."""
        raise ConnectorError(f"{capability} is done at once; there is nothing to ask for.", permanent=True)

    def recall(self, capability: str, target: Target, key: str) -> Result | None:
        """What became of it; None if Vision One cannot tell. Raises ConnectorError."""
        return None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """What ``perform`` would send first. Raises ConnectorError."""
        raise ConnectorError(f"Vision One cannot do {capability}.", permanent=True)

    def preview(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """One request as it would be sent."""
        return dict(self.api.preview(method, self.api.path(path), **content)["request"])
