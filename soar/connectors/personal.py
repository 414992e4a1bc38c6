"""Messages to one person: by e-mail, by a direct message through a Mattermost connector, or by an incoming webhook of
their own. Slack's and Teams's webhooks lead to one place each, so there only one's own is private."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from soar.connectors import notify, registry
from soar.connectors.channel import CLEARED
from soar.connectors.errors import ConnectorError
from soar.connectors.kinds import HIDDEN_ADDRESS, check
from soar.connectors.messages import Message
from soar.connectors.models import ConnectorAccount
from soar.connectors.posting import PostChannel
from soar.lib.crypto import DecryptionError
from soar.lib.http import Limits, RemoteError

HANDLE, WEBHOOK, EMAIL = "handle", "webhook", "email"
DIRECT = "mattermost"  # the kind whose connector can write to a person
OWN_KINDS = ("slack", "teams", "mattermost")
HANDLES = re.compile(r"@?[a-z0-9][a-z0-9._-]{0,63}", re.IGNORECASE)
LIMITS = Limits(5.0, 10.0, 15.0, 64 * 1024, tries=1, longest_wait=0.0, redirects=0)


class Address(Protocol):
    """Where a person's chat is."""

    chat_way: str
    chat_kind: str
    chat_handle: str
    chat_url: Any
    chat_account: ConnectorAccount | None


class Person(Protocol):
    """Whom to write to."""

    email: str


@dataclass(frozen=True, slots=True)
class Way:
    """How to reach somebody. ``cleared``: the TLP up to which it may carry messages; ``recipients``: of a mail.
    ``repeatable``: a message whose answer was lost may go out again under its key. ``send`` raises ConnectorError."""

    send: Callable[..., object]
    cleared: str
    repeatable: bool = False
    recipients: tuple[str, ...] = ()


def way_of(person: Person, address: Address, channel: str) -> Way | None:
    """By e-mail (``email``) or chat (anything else); None when that is not set up, or off."""
    if channel == EMAIL:
        return _mail(person.email)
    if address.chat_way == HANDLE:
        return _direct(address.chat_account, address.chat_handle)
    if address.chat_way == WEBHOOK:
        return _own(address)
    return None


def direct_accounts() -> list[ConnectorAccount]:
    """The connectors by which a person can be written to directly: enabled, and for everybody."""
    return [one for one in notify.channels() if one.kind == DIRECT and not one.restricted]


def handle_of(text: str) -> str:
    """A user name of Mattermost as it is kept, ``@mara``. Raises ValueError for one that is none."""
    clean = text.strip()
    if not HANDLES.fullmatch(clean):
        raise ValueError(_("A user name has letters, digits, dots, dashes and underscores only."))
    return "@" + clean.removeprefix("@").lower()


def checked_url(kind: str, url: str) -> str:
    """The address of an incoming webhook of this kind. Raises ValueError, with a sentence, for one that is none."""
    if kind not in OWN_KINDS:
        raise ValueError(_("Choose Slack, Teams or Mattermost."))
    known = registry.KINDS[kind]
    found = check((known.address,), {"url": url})
    if found.errors:
        raise ValueError(_("This is no address of an incoming webhook."))
    return str(found.values["url"])


def _mail(email: str) -> Way | None:
    account = notify.mail_account()
    if account is None or not email:
        return None

    def send(message: Message, *, key: str) -> object:
        return notify.send(account, message, key=key)

    return Way(send, _cleared(account), notify.repeatable(account), (email,))


def _direct(account: ConnectorAccount | None, handle: str) -> Way | None:
    if account is None or account not in direct_accounts() or not handle:
        return None
    own = copy.copy(account)
    own.settings = {**account.settings, "channel": handle}

    def send(message: Message, *, key: str) -> object:
        # Not notify.send: that nobody has this name must not switch the connector off for all others.
        return notify.channel_of(own).send(message, key=key)

    return Way(send, _cleared(account), notify.repeatable(account))


def _own(address: Address) -> Way | None:
    """Their own webhook is no account: nothing is kept of the call but how the message fared."""
    try:
        url = str(address.chat_url)
    except DecryptionError:
        return None
    if address.chat_kind not in OWN_KINDS or not url:
        return None
    account = ConnectorAccount(
        kind=address.chat_kind,
        name=f"Your {registry.KINDS[address.chat_kind].label}",
        settings={"cleared": CLEARED.default},
        timeout_seconds=10,
        allow_internal=settings.CHAT_INTERNAL,
    )
    account.secrets = {HIDDEN_ADDRESS: url}
    return Way(lambda message, *, key: _post(account, message, key), str(CLEARED.default))


def _post(account: ConnectorAccount, message: Message, key: str) -> None:
    channel = notify.channel_of(account)
    if not isinstance(channel, PostChannel):
        raise ConnectorError(f"{account.name} carries no messages.", permanent=True)
    channel.may_carry(message)
    content = channel.content(message, key=key)
    try:
        with channel.client() as client:
            client.limits = LIMITS
            channel.judge(client.request("POST", "", idempotent=False, **content))
    except ConnectorError:
        raise
    except RemoteError as error:
        raise ConnectorError.of(error) from None


def _cleared(account: ConnectorAccount) -> str:
    return str(account.settings.get("cleared") or CLEARED.default)
