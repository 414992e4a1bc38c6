"""E-mail about the portal's own state to those who keep it running. The pages tell it in any case."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from soar.accounts.membership import holders
from soar.accounts.models import User
from soar.connectors import notify
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message

logger = logging.getLogger(__name__)
TOLD_AT_MOST = 50


def addresses(permission: str, *others: User) -> tuple[str, ...]:
    """Of the active people who have a permission (``manage_sources``) and of these others, each once."""
    rows: Iterable[str] = holders(permission).exclude(email="").order_by("pk").values_list("email", flat=True)
    first = (one.email for one in others if one.is_active and one.email)
    return tuple(dict.fromkeys([*first, *rows[:TOLD_AT_MOST]]))  # type: ignore[index]


def mail(message: Message, *, key: str) -> None:
    """Send it where e-mail is set up and there is somebody to read it. Called by a worker, outside of any transaction.

    What fails for good is logged. Raises ConnectorError when it should be tried again later."""
    account = notify.mail_account()
    if account is None or not message.recipients:
        return
    try:
        notify.send(account, message, key=key)
    except ConnectorError as error:
        if not (error.permanent or error.outcome_unknown):
            raise
        logger.warning("Nobody could be told that %s: %s", message.title, error.message)
