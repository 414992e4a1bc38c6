"""A channel that takes one POST per message: what Slack, Teams, Mattermost and webhooks have in common."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result
from soar.connectors.channel import Channel, ChannelGone
from soar.connectors.messages import Message
from soar.lib.answers import TEMPORARY
from soar.lib.clock import seconds_until
from soar.lib.http import Answer

LONGEST_REASON = 300


class PostChannel(Channel):
    """``gone``: statuses by which the product says that this address is dead. ``html_is_wrong``: a page is no answer of
    this product, whatever its status. Derived classes give ``content``."""

    gone: ClassVar[frozenset[int]] = frozenset({410})
    html_is_wrong: ClassVar[bool] = True

    def content(self, message: Message, *, key: str) -> dict[str, Any]:
        """What httpx sends: ``json``, or ``content`` in bytes, and ``headers``. Raises ConnectorError."""
        raise ConnectorError(f"{self.account.name} carries no messages.", permanent=True)

    def deliver(self, message: Message, *, key: str) -> Result:
        """One POST. Raises ConnectorError, ChannelGone."""
        content = self.content(message, key=key)
        answer = self.call(f"message: {message.type}", "POST", "", idempotency_key=key, idempotent=False, **content)
        self.judge(answer)
        return Result(
            "done",
            self.success(answer),
            remote=self.word(answer),
            request=shown(content),
            answer={"status": answer.status, "body": answer.redactor.text(answer.text, LONGEST_REASON)},
        )

    def request_of(self, message: Message) -> dict[str, Any]:
        """The request as ``preview`` shows it."""
        made: dict[str, Any] = self.preview("POST", "", **self.content(message, key="rehearsal"))["request"]
        return made

    def judge(self, answer: Answer) -> None:
        """Raises ConnectorError, or ChannelGone, unless the message was taken."""
        reason = self.reason(answer)
        if self.is_gone(answer):
            raise ChannelGone(f"{self.account.name} takes no messages any more: {reason}.", status=answer.status)
        if not answer.ok:
            permanent = answer.status < 500 and answer.status not in TEMPORARY
            wait = seconds_until(answer.headers.get("retry-after", ""))
            text = f"{self.account.name} refused the message: {reason}."
            raise ConnectorError(text, permanent=permanent, status=answer.status, retry_after=wait)
        if self.html_is_wrong and is_html(answer):
            text = f"{self.account.name} answered with an HTML page; its address is probably not the right one."
            raise ConnectorError(text, permanent=True, status=answer.status)

    def is_gone(self, answer: Answer) -> bool:
        """Whether nothing will ever be taken here again. A page of something in between says nothing about that."""
        return answer.status in self.gone and not is_html(answer)

    def reason(self, answer: Answer) -> str:
        """Status and what the product said, without secrets, in one line."""
        if is_html(answer):
            return f"{answer.status} an HTML page"
        text = " ".join((_message_in(answer.text) or answer.text).split()).rstrip(".")
        return f"{answer.status} {answer.redactor.text(text, LONGEST_REASON)}".strip()

    def success(self, answer: Answer) -> str:
        """A sentence for the task."""
        return f"Sent to {self.account.name}."

    def word(self, answer: Answer) -> str:
        """The product's own word for what it did."""
        return "ok"


def _message_in(text: str) -> str:
    """The sentence in an error told in JSON: ``{"message"}`` or ``{"error": {"message"}}``; "" if there is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message"):
        if isinstance(found, dict) and name in found:
            found = found[name]
    return found if isinstance(found, str) else ""


def is_html(answer: Answer) -> bool:
    """Whether something in between answered: a sign-in page, an error page of a proxy.

    The media type says nothing: Slack's "ok" is text/html."""
    return answer.body[:64].lstrip()[:1] == b"<"


def size(body: Any) -> int:
    """Bytes of the JSON with every letter beyond ASCII escaped: more than any product counts."""
    return len(json.dumps(body))


def shown(content: dict[str, Any]) -> dict[str, Any]:
    """The body of a request as it is kept with the task; headers, which may sign, are left out."""
    body = content.get("json", content.get("content"))
    return {"body": body.decode("utf-8", "replace") if isinstance(body, bytes) else body}
