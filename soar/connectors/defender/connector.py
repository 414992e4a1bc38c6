"""Microsoft Defender for Endpoint, by its own API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.defender.actions import ACTIONS
from soar.connectors.defender.live import COLLECT, RUN, LiveResponse
from soar.connectors.kinds import Kind, Setting
from soar.connectors.microsoft.signing_in import SECRETS, SETTINGS, rules


class Defender(LiveResponse):
    """Machines, and live response where the account's settings allow it."""

    kind = "defender"
    serves: ClassVar[frozenset[str]] = frozenset({*ACTIONS, COLLECT, RUN})
    repeatable: ClassVar[frozenset[str]] = serves - {RUN}
    needs: ClassVar[Mapping[str, str]] = {
        "Machine.Read.All": "finding machines",
        "Machine.Isolate": "isolating and releasing",
        "Machine.Scan": "scanning",
    }
    live: ClassVar[Mapping[str, str]] = {
        "Machine.LiveResponse": "live response",
        "Library.Manage": "scripts of live response",
    }
    wider: ClassVar[Mapping[str, frozenset[str]]] = {"Machine.ReadWrite.All": frozenset({"Machine.Read.All"})}

    @classmethod
    def offers(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """See Responder."""
        return cls.serves if settings.get("live_response") is True else cls.serves - {COLLECT, RUN}

    def needed(self) -> Mapping[str, str]:
        """See MicrosoftApi."""
        return {**self.needs, **self.live} if self.account.settings.get("live_response") is True else self.needs

    def check(self) -> str:
        """Sign in and read a machine. Raises ConnectorError."""
        self.get("test", "api/machines", params={"$top": 1})
        return f"Defender for Endpoint takes the credentials and shows its machines.{self.missing()}"


KIND = Kind(
    name="defender",
    label=_("Microsoft Defender for Endpoint"),
    connector=Defender,
    address=Setting(
        "url",
        _("Address of Defender"),
        form="url",
        required=True,
        default="https://api.security.microsoft.com",
    ),
    settings=(
        *SETTINGS,
        Setting(
            "isolation",
            _("How a machine is isolated"),
            form="choice",
            choices=("Full", "Selective"),
            default="Full",
        ),
        Setting("scan", _("How a machine is scanned"), form="choice", choices=("Quick", "Full"), default="Quick"),
        Setting(
            "live_response",
            _("Fetch files from machines and run scripts on them (live response)"),
            form="flag",
            default=False,
        ),
    ),
    secrets=SECRETS,
    rules=rules,
)
