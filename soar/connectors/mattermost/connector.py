"""Mattermost: incoming webhooks. A wrong address is answered 400 with JSON that says so."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.channel import CLEARED
from soar.connectors.fitting import fit
from soar.connectors.kinds import Kind, Setting
from soar.connectors.mattermost.post import body_of, within
from soar.connectors.messages import Message
from soar.connectors.posting import PostChannel, is_html
from soar.lib.http import Answer


class MattermostConnector(PostChannel):
    """404 is a channel that is not there, 400 with "invalid webhook" an address that is not there."""

    kind = "mattermost"
    gone = frozenset({403, 404, 410})

    def content(self, message: Message, *, key: str) -> dict[str, Any]:
        """A post that is short enough, in the channel of the webhook or another one."""
        body = fit(message, body_of, within)
        channel = self.account.settings.get("channel")
        return {"json": {**body, **({"channel": channel} if channel else {})}}

    def is_gone(self, answer: Answer) -> bool:
        """As for all, and 400 for a webhook that was deleted."""
        deleted = answer.status == 400 and "invalid webhook" in answer.text.lower()
        return super().is_gone(answer) or (deleted and not is_html(answer))


KIND = Kind(
    name="mattermost",
    label=_("Mattermost"),
    connector=MattermostConnector,
    address=Setting("url", _("Address of the incoming webhook, https://host/hooks/…"), "url", required=True),
    secret_url=True,
    settings=(
        CLEARED,
        Setting("channel", _("Another channel than the webhook's, by its name in the address")),
    ),
)
