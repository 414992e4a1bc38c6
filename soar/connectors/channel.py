"""A connector that tells people something: what e-mail, chats and webhooks have in common (connectors.md 7)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_noop as _

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.capabilities import Result
from soar.connectors.kinds import Setting
from soar.connectors.messages import TEST, TLP, Message, may_carry

# What every channel is asked: how far up the Traffic Light Protocol it may carry messages.
CLEARED = Setting(
    "cleared",
    _("The most confidential messages it may carry; anything above is not sent"),
    form="choice",
    choices=TLP,
    default="amber",
)


class ChannelGone(ConnectorError):
    """The product says that this address will never take messages again: the account is disabled with this reason."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message, permanent=True, status=status)


class Channel(Connector):
    """``mail``: it has recipients of its own per message. ``repeatable``: whoever gets a message twice with one key
    sees it once, so one whose answer was lost may be sent again."""

    mail: ClassVar[bool] = False
    repeatable: ClassVar[bool] = False

    def check(self) -> str:
        """Send a test message; these products offer no other way to ask. Raises ConnectorError."""
        message = Message("Test of the connection", type=TEST, text=f"{self.account.name} is connected.", tlp="clear")
        return self.deliver(message, key="").message

    def send(self, message: Message, *, key: str) -> Result:
        """Deliver if it may be carried. Raises ConnectorError, permanent when the channel is not cleared for it."""
        self.may_carry(message)
        return self.deliver(message, key=key)

    def may_carry(self, message: Message) -> None:
        """Raises ConnectorError, with both words in it, for a message above what the channel is cleared for."""
        cleared = str(self.account.settings.get("cleared") or CLEARED.default)
        if not may_carry(cleared, message.tlp):
            raise ConnectorError(
                f"Not sent: it is TLP:{message.tlp.upper()}, and {self.account.name} is cleared up to "
                f"TLP:{cleared.upper()} only.",
                permanent=True,
            )

    def deliver(self, message: Message, *, key: str) -> Result:
        """Send it; ``key`` names this one message in every try of it. Raises ConnectorError."""
        raise ConnectorError(f"{self.account.name} carries no messages.", permanent=True)

    def request_of(self, message: Message) -> dict[str, Any]:
        """What ``deliver`` would send, without secrets; sends and writes nothing. Raises ConnectorError."""
        raise ConnectorError(f"{self.account.name} carries no messages.", permanent=True)
