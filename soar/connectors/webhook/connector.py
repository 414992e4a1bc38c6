"""The generic webhook. The receiver knows a message that comes twice by its ``webhook-id``."""

from __future__ import annotations

import time
import uuid
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.channel import CLEARED
from soar.connectors.fitting import fit
from soar.connectors.kinds import Kind, Setting
from soar.connectors.messages import Message
from soar.connectors.posting import PostChannel
from soar.connectors.webhook import headers as own
from soar.connectors.webhook.signing import github_header, headers_of, key_of
from soar.connectors.webhook.template import filled, standard
from soar.lib import clock

LARGEST = 20_000
STANDARD, GITHUB = "standard", "github"


class WebhookConnector(PostChannel):
    """2xx is success, whatever is answered with it; 410 ends the channel."""

    kind = "webhook"
    repeatable = True
    html_is_wrong = False

    def content(self, message: Message, *, key: str) -> dict[str, Any]:
        """Body, headers and signature of this try. Raises ConnectorError."""
        body, media = self._body(message)
        secrets = self.account.secrets
        signing = [str(secrets[name]) for name in ("secret", "old_secret") if secrets.get(name)]
        headers = {"Content-Type": media, **own.parsed(str(secrets.get("headers", "")))}
        # The id is the same in every try of one message; a test has none of its own.
        headers |= headers_of(key or f"test_{uuid.uuid4().hex}", int(time.time()), body, signing)
        if signing and self.account.settings.get("signature") == GITHUB:
            headers |= github_header(body, signing[0])
        return {"content": body, "headers": headers}

    def hidden(self) -> list[str]:
        """The values of its own headers: they may sign in."""
        return [*super().hidden(), *own.parsed(str(self.account.secrets.get("headers", ""))).values()]

    def success(self, answer: Any) -> str:
        """What is known."""
        return f"Taken by {self.account.name} ({answer.status})."

    def _body(self, message: Message) -> tuple[bytes, str]:
        if template := str(self.account.settings.get("template", "")):
            return fit(message, lambda cut: filled(template, cut), lambda made: len(made[0]) <= LARGEST)
        now = clock.iso(clock.now()) or ""
        whole = standard(message, now, truncated=False)
        if len(whole) > LARGEST:
            # What the caller gave as a payload cannot be cut without breaking it: the message itself takes its place.
            bare = Message(**{name: getattr(message, name) for name in _CUT})
            whole = fit(bare, lambda cut: standard(cut, now, truncated=True), lambda made: len(made) <= LARGEST)
        return whole, "application/json"


_CUT = ("title", "type", "text", "facts", "sections", "link", "severity", "tlp")


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the values together, by name."""
    found = {}
    for name in ("secret", "old_secret"):
        try:
            key_of(str(secrets.get(name, "")))
        except ValueError as error:
            found[name] = _("This is no secret of Standard Webhooks: %(error)s.") % {"error": error}
    try:
        own.parsed(str(secrets.get("headers", "")))
    except ConnectorError as error:
        found["headers"] = error.message
    return found


KIND = Kind(
    name="webhook",
    label=gettext_noop("Webhook"),
    connector=WebhookConnector,
    address=Setting("url", gettext_noop("Address that takes the POST"), "url", required=True, query=True),
    secret_url=True,
    rules=problems,
    settings=(
        CLEARED,
        Setting(
            "template",
            gettext_noop("Body with $title$, $type$ and $payload$; empty is Standard Webhooks' JSON"),
            "lines",
        ),
        Setting(
            "signature",
            gettext_noop("With a secret: the headers of Standard Webhooks, or those and GitHub's"),
            "choice",
            choices=(STANDARD, GITHUB),
            default=STANDARD,
        ),
    ),
    secrets=(
        Setting("secret", gettext_noop("Secret that signs each message, whsec_…")),
        Setting("old_secret", gettext_noop("The secret before this one, as long as it is being replaced")),
        Setting("headers", gettext_noop("Headers of your own, one a line: Name: value"), form="lines"),
        Setting("token", gettext_noop("Bearer token")),
        Setting("username", gettext_noop("User name (HTTP Basic)")),
        Setting("password", gettext_noop("Password (HTTP Basic)")),
    ),
)
