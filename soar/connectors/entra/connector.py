"""Microsoft Entra ID and Exchange Online: what Graph can do to accounts and messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.capabilities import HASH
from soar.connectors.domains import DOMAIN
from soar.connectors.entra.accounts import CHANGES, Accounts
from soar.connectors.entra.messages import FOUND, MOVES, QUARANTINES, SOFT, Messages
from soar.connectors.kinds import Kind, Setting
from soar.connectors.microsoft.signing_in import SECRETS, SETTINGS, rules

ALONE = frozenset({"reset_password"})  # its user may have obeyed meanwhile, and would have to once more


class Entra(Accounts, Messages):
    """Each part takes what is its own and hands on the rest."""

    kind = "entra"
    product = "Microsoft Graph"
    serves: ClassVar[frozenset[str]] = frozenset({*CHANGES, *MOVES, FOUND})
    repeatable: ClassVar[frozenset[str]] = serves - ALONE
    needs: ClassVar[Mapping[str, str]] = {
        "User.Read.All": "accounts",
        "User.EnableDisableAccount.All": "disabling and enabling accounts",
        "User.RevokeSessions.All": "signing out",
        "User-PasswordProfile.ReadWrite.All": "password resets",
        "ThreatHunting.Read.All": "searching messages",
        "SecurityAnalyzedMessage.ReadWrite.All": "moving messages",
    }

    wider: ClassVar[Mapping[str, frozenset[str]]] = {
        name: frozenset({"User.Read.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All"})
        for name in ("User.ReadWrite.All", "Directory.ReadWrite.All")
    }

    @classmethod
    def takes(cls, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """See Responder. Files of messages are found by their SHA-256 alone."""
        return kind != HASH or str(facts.get("type") or "sha256") == "sha256"

    def check(self) -> str:
        """Sign in and read a user. Raises ConnectorError."""
        self.get("test", "v1.0/users", params={"$top": 1, "$select": "id"})
        return f"Microsoft Graph takes the credentials and shows the directory.{self.missing()}"


KIND = Kind(
    name="entra",
    label=_("Microsoft Entra ID"),
    connector=Entra,
    address=Setting("url", _("Address of Graph"), form="url", required=True, default="https://graph.microsoft.com"),
    settings=(
        *SETTINGS,
        DOMAIN,
        Setting(
            "quarantine",
            _("What quarantining does to a message"),
            form="choice",
            choices=QUARANTINES,
            default=SOFT,
        ),
    ),
    secrets=SECRETS,
    rules=rules,
)
