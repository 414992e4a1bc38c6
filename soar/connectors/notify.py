"""Telling people by the channels that are set up: the one door for playbooks, approvals and notices."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from soar.connectors import registry
from soar.connectors.capabilities import Result
from soar.connectors.channel import Channel, ChannelGone
from soar.connectors.errors import ConnectorError
from soar.connectors.health import disable
from soar.connectors.messages import Message
from soar.connectors.models import ConnectorAccount
from soar.lib.context import caused_by


def send(account: ConnectorAccount, message: Message, *, key: str, cause: uuid.UUID | None = None) -> Result:
    """Send one message, outside of any transaction. ``key`` is the same in every try of this one message.

    The result is ``done`` (``remote`` in the product's own word: a flow of Teams says "accepted", no more).
    Raises ConnectorError: ``permanent`` (not cleared for its TLP, refused, disabled), else worth another try after
    ``retry_after``; ``outcome_unknown`` when nobody knows whether it arrived. A channel that says that it is gone
    (404, 410) is disabled with that reason before the error is raised.
    """
    channel = channel_of(account, cause=cause)
    try:
        with caused_by(cause):
            return channel.send(message, key=key)
    except ChannelGone as error:
        disable(account.pk, error.message)
        raise


def preview(account: ConnectorAccount, message: Message) -> dict[str, Any]:
    """The request that ``send`` would make, for a rehearsal: sends nothing. Raises ConnectorError as ``send`` would."""
    channel = channel_of(account)
    channel.may_carry(message)
    return channel.request_of(message)


def repeatable(account: ConnectorAccount) -> bool:
    """Whether a message whose answer was lost may be sent again under its key without being read twice."""
    kind = registry.KINDS.get(account.kind)
    return kind is not None and issubclass(kind.connector, Channel) and kind.connector.repeatable


def channels() -> list[ConnectorAccount]:
    """The enabled accounts of chats and webhooks, by name; e-mail is not among them."""
    return _enabled(mail=False)


def channel_named(name: str) -> ConnectorAccount | None:
    """The enabled chat or webhook of this name, whatever its upper and lower case."""
    return next((one for one in channels() if one.name.lower() == name.lower()), None)


def mail_account() -> ConnectorAccount | None:
    """The account that sends e-mail: the enabled one that was made first."""
    return min(_enabled(mail=True), key=lambda one: one.pk, default=None)


def channel_of(account: ConnectorAccount, *, cause: uuid.UUID | None = None) -> Channel:
    """The channel of an account. Raises ConnectorError for a kind that carries no messages or is not known."""
    connector = registry.of(account, cause=cause)
    if not isinstance(connector, Channel):
        raise ConnectorError(f"{account.name} carries no messages.", permanent=True)
    return connector


def enabled_among(accounts: Iterable[ConnectorAccount], *, mail: bool) -> list[ConnectorAccount]:
    """Those of the accounts that are enabled and send e-mail, or else that are chats and webhooks."""
    kinds = set(_kinds(mail=mail))
    return [one for one in accounts if one.enabled and one.kind in kinds]


def _enabled(*, mail: bool) -> list[ConnectorAccount]:
    return list(ConnectorAccount.objects.filter(enabled=True, kind__in=_kinds(mail=mail)))


def _kinds(*, mail: bool) -> list[str]:
    return [
        kind.name
        for kind in registry.KINDS.values()
        if issubclass(kind.connector, Channel) and kind.connector.mail is mail
    ]
