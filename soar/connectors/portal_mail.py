"""Mail of the portal itself to one person, about their account. By the account that sends e-mail."""

from __future__ import annotations

from soar.connectors import notify
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import Message


def ready() -> bool:
    """Whether an enabled connector sends e-mail."""
    return notify.mail_account() is not None


def send(recipient: str, subject: str, text: str, *, link: str, label: str, key: str) -> None:
    """Send it; ``key`` is the same in every try. Raises ConnectorError if another try may help."""
    account = notify.mail_account()
    if account is None:
        return
    message = Message(subject, text=text, link=link, link_label=label, tlp="clear", recipients=(recipient,))
    try:
        notify.send(account, message, key=key)
    except ConnectorError as error:
        if not error.permanent:
            raise
