"""CrowdStrike Falcon, by its public API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from soar.connectors.capabilities import HASH
from soar.connectors.crowdstrike.api import FalconError, rules
from soar.connectors.crowdstrike.containing import QUERY, WISHES, Containing
from soar.connectors.crowdstrike.indicators import COMBINED, Indicators
from soar.connectors.kinds import Kind, Setting

BLOCKED = frozenset({"md5", "sha256"})


class CrowdStrike(Containing, Indicators):
    """Each part takes what is its own and hands on the rest."""

    kind = "crowdstrike"
    serves: ClassVar[frozenset[str]] = frozenset({*WISHES, "block", "unblock"})
    repeatable: ClassVar[frozenset[str]] = serves

    @classmethod
    def takes(cls, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """See Responder. Falcon can only watch for addresses, not block them, and takes no SHA-1."""
        return capability in WISHES or (kind == HASH and str(facts.get("type") or "sha256") in BLOCKED)

    def check(self) -> str:
        """Sign in and look at a host and at the indicators. Raises ConnectorError."""
        self.get("test", QUERY, params={"limit": 1})
        try:
            self.get("test", COMBINED, params={"limit": 1})
        except FalconError as error:
            if error.status != 403:
                raise
            return "Falcon takes the credentials and shows its hosts. The API client lacks the scope IOC Management."
        return "Falcon takes the credentials and shows its hosts and indicators."


KIND = Kind(
    name="crowdstrike",
    label="CrowdStrike Falcon",
    connector=CrowdStrike,
    address=Setting(
        "url", "Address of your Falcon cloud", form="url", required=True, default="https://api.crowdstrike.com"
    ),
    settings=(Setting("member_cid", "Customer ID of a child, where the API client is of a parent (Flight Control)"),),
    secrets=(
        Setting("client_id", "Client ID", required=True),
        Setting("client_secret", "Client secret", required=True),
    ),
    rules=rules,
)
