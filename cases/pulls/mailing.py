"""A message of a mailbox as a body that an alert is made of."""

from __future__ import annotations

from cases.ingest.mails import CUT
from soar.connectors.reader import Item


def mail_of(item: Item) -> tuple[bytes, str]:
    """The message, and its content type, which says how long it is where only its beginning was taken."""
    size = item.payload.get("size")
    kind = f"message/rfc822; {CUT}={size}" if isinstance(size, int) else "message/rfc822"
    return item.files[0].content, kind
