"""Trend Vision One: response actions, polled to their end (connectors.md 3, 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import CONTAINER, HASH, Collected, Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.connectors.storage import fetched
from soar.connectors.visionone import endpoints
from soar.connectors.visionone.alerts import Workbench
from soar.connectors.visionone.blocklist import BlockList
from soar.connectors.visionone.commands import has_ids
from soar.connectors.visionone.messages import Messages
from soar.connectors.visionone.part import Part
from soar.connectors.visionone.running import Running
from soar.connectors.visionone.sandbox import Sandbox
from soar.connectors.visionone.scripts import Scripts

# A later one takes a capability from an earlier one.
PARTS: dict[str, type[Part]] = {
    name: part for part in (Running, Scripts, BlockList, Messages, Sandbox) for name in part.serves
}
BLIND = " Its role may not look up endpoints (Endpoint Inventory), so never-touch entries hold for the names of alerts."


class VisionOne(Workbench):
    """Hands each capability to the part that serves it."""

    kind = "visionone"
    serves: ClassVar[frozenset[str]] = frozenset(PARTS)
    repeatable: ClassVar[frozenset[str]] = frozenset(name for name, part in PARTS.items() if name in part.repeatable)

    @classmethod
    def takes(cls, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """See Responder. Files are blocked by SHA-1 and SHA-256."""
        return not (capability in {"block", "unblock"} and kind == HASH and facts.get("type") == "md5")

    @classmethod
    def responsible(cls, settings: Mapping[str, Any], target: Target) -> bool:
        """See Responder. It knows containers by ids of its own; who tells a namespace means a pod by its name."""
        return target.kind != CONTAINER or has_ids(target)

    def check(self) -> str:
        """Ask whether the API answers and takes the token. Raises ConnectorError."""
        found = self.get("test", "healthcheck/connectivity")
        status = found.get("status") if isinstance(found, dict) else None
        if status not in {"available", "ok"}:
            raise ConnectorError(f"Vision One says that it is {status or 'not available'}.", permanent=False)
        return f"Vision One is available and takes the token.{'' if endpoints.lets_look(self) else BLIND}"

    def sandbox_quota(self) -> int | None:
        """See Responder."""
        return Sandbox(self).quota()

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        return self._part(capability).perform(capability, target, params, key)

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        return self._part(capability).poll(capability, reference)

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        return self._part(capability).recall(capability, target, key)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        return self._part(capability).requests(capability, target, params)

    def collected(self, reference: str, data: Mapping[str, Any], secret: Mapping[str, str]) -> Collected:
        """See Responder. The archive, as long as it lies there."""
        return Collected(f"{reference}.zip", fetched(self, str(secret.get("location") or ""), "Vision One"))

    def _part(self, capability: str) -> Part:
        part = PARTS.get(capability)
        if part is None:
            raise ConnectorError(f"Vision One cannot do {capability}.", permanent=True)
        return part(self)


KIND = Kind(
    name="visionone",
    label=_("Trend Vision One"),
    connector=VisionOne,
    settings=(
        Setting("push", _("Send status and notes of its alerts back to Vision One"), form="flag", default=False),
    ),
    secrets=(Setting("token", _("API key"), required=True),),
)
