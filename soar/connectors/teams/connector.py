"""Microsoft Teams: workflows with the trigger "when a webhook request is received"."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.channel import CLEARED
from soar.connectors.fitting import fit
from soar.connectors.kinds import Kind, Setting
from soar.connectors.messages import Message
from soar.connectors.posting import PostChannel, size
from soar.connectors.teams.card import body_of
from soar.lib.http import Answer

# Teams takes 28 KB as it counts after encoding the card anew; a request of 24 KB was refused, so stay well below.
LARGEST = 19_000


class TeamsConnector(PostChannel):
    """202 says that the flow has begun, not that the card was shown; Teams tells no more than that."""

    kind = "teams"
    gone = frozenset({401, 403, 404, 410})

    def content(self, message: Message, *, key: str) -> dict[str, Any]:
        """A card that is small enough."""
        return {"json": fit(message, body_of, lambda body: size(body) <= LARGEST)}

    def judge(self, answer: Answer) -> None:
        """Connectors of old answer 200 and tell the failure in words. Raises ConnectorError, ChannelGone."""
        super().judge(answer)
        if "failed" in answer.text.lower()[:500]:
            busy = "429" in answer.text
            text = f"{self.account.name} answered {self.reason(answer)}."
            raise ConnectorError(text, permanent=not busy, status=answer.status)

    def success(self, answer: Answer) -> str:
        """What is known: the flow has it."""
        return f"Accepted by the flow of {self.account.name}; Teams does not tell whether it was shown."

    def word(self, answer: Answer) -> str:
        """Teams's state."""
        return "accepted"


KIND = Kind(
    name="teams",
    label=_("Microsoft Teams"),
    connector=TeamsConnector,
    address=Setting(
        "url", _("Address of the workflow, as Teams shows it, with its signature"), "url", True, query=True
    ),
    secret_url=True,
    settings=(CLEARED,),
)
