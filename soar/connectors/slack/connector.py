"""Slack: incoming webhooks. They answer in plain text, "ok" or the name of an error, and give nothing to thread by."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.channel import CLEARED
from soar.connectors.fitting import fit
from soar.connectors.kinds import Kind, Setting
from soar.connectors.messages import Message
from soar.connectors.posting import PostChannel, size
from soar.connectors.slack.blocks import body_of, within
from soar.lib.http import Answer

# Slack refuses messages whose blocks are too long together well before their number is reached (msg_blocks_too_long).
LARGEST = 12_000


class SlackConnector(PostChannel):
    """``invalid_token``, ``no_service``, ``channel_is_archived`` and the like end the channel."""

    kind = "slack"
    gone = frozenset({403, 404, 410})

    def content(self, message: Message, *, key: str) -> dict[str, Any]:
        """Blocks within Slack's limits."""
        return {"json": fit(message, body_of, lambda body: within(body) and size(body) <= LARGEST)}

    def judge(self, answer: Answer) -> None:
        """Only "ok" is success. Raises ConnectorError, ChannelGone."""
        super().judge(answer)
        if answer.text.strip() != "ok":
            text = f"{self.account.name} answered {self.reason(answer)} instead of ok: this is no webhook of Slack."
            raise ConnectorError(text, permanent=True, status=answer.status)


KIND = Kind(
    name="slack",
    label=_("Slack"),
    connector=SlackConnector,
    address=Setting(
        "url", _("Address of the incoming webhook, https://hooks.slack.com/services/…"), "url", required=True
    ),
    secret_url=True,
    settings=(CLEARED,),
)
